"""LoRA on the CPU inside a real vLLM: each row gets its own adapter and no other, with PEFT's arithmetic."""

import asyncio
import math
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from serving.access import api_key, connect
from serving.base_model import BaseModel
from serving.client import Completion, ModelClient
from serving.fleet import Fleet
from store.tables import BASE, Adapter
from tests.fixtures_serving import VllmServer, make_adapter

pytestmark = pytest.mark.slow

QUESTIONS = [
    [{"role": "user", "content": f"How do I {what}?"}]
    for what in ("reset my password", "order a new laptop", "reach the help desk", "install the printer")
]
ANSWER = "Please open the company portal, choose Devices and follow the steps that are shown there."


@pytest.fixture
def adapters(vllm_server: VllmServer) -> list[Adapter]:
    folder = vllm_server.settings.artifacts / "adapters"
    return [adapter_once(vllm_server.base, folder / f"v{901 + seed}-mixed", seed) for seed in range(2)]


def adapter_once(base: BaseModel, folder: Path, seed: int) -> Adapter:
    # The server and its folder outlive a test; an adapter's folder is never written twice.
    if folder.exists():
        folder = folder.with_name(f"{folder.name}-{len(list(folder.parent.iterdir()))}")
    return make_adapter(base, folder, seed=seed, scale=0.1)


async def test_a_mixed_batch_answers_as_each_alone(vllm_server: VllmServer, adapters: list[Adapter]) -> None:
    fleet, client = Fleet(vllm_server.settings), ModelClient(vllm_server.settings)
    for adapter in adapters:
        await fleet.load(adapter)
    models = [BASE, *(adapter.name for adapter in adapters)]
    asked = [(model, question) for question in QUESTIONS for model in models]

    async def answer(model: str, question: list[dict[str, str]]) -> Completion:
        return await client.complete(model, question, max_tokens=12, logprobs=True)

    alone = [await answer(*one) for one in asked]
    together = await asyncio.gather(*(answer(*one) for one in asked))
    scores_alone = [(await client.score(*one, ANSWER)).mean_logprob for one in asked]
    scored = await asyncio.gather(*(client.score(*one, ANSWER) for one in asked))
    await client.aclose()
    await fleet.aclose()

    assert [one.model for one in together] == [model for model, _ in asked]
    for one, other in zip(scores_alone, scored, strict=True):
        assert abs(one - other.mean_logprob) < 0.05
    # The adapters are far apart, so a row that got a neighbour's weights would not pass for its own.
    assert abs(scores_alone[0] - scores_alone[1]) > 0.2
    assert abs(scores_alone[1] - scores_alone[2]) > 0.05
    same = [one.text == other.text for one, other in zip(alone, together, strict=True)]
    assert sum(same) >= len(same) - 2, "beyond what rounding explains"
    base_rows = [same[index] for index, (model, _) in enumerate(asked) if model == BASE]
    assert sum(base_rows) >= len(base_rows) - 1


async def test_log_probabilities_are_those_of_peft(vllm_server: VllmServer, adapters: list[Adapter]) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    fleet, client = Fleet(vllm_server.settings), ModelClient(vllm_server.settings)
    await fleet.load(adapters[0])
    served = {name: await client.score(name, QUESTIONS[0], ANSWER) for name in (BASE, adapters[0].name)}
    await client.aclose()
    await fleet.aclose()

    tokenizer = AutoTokenizer.from_pretrained(vllm_server.base.path)
    text = tokenizer.apply_chat_template(QUESTIONS[0], add_generation_prompt=True, tokenize=False)
    prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
    answer = tokenizer(ANSWER, add_special_tokens=False)["input_ids"]
    base = AutoModelForCausalLM.from_pretrained(vllm_server.base.path, dtype=torch.float32)

    def reference(model: torch.nn.Module) -> float:
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
        chosen = torch.log_softmax(logits, dim=-1)[range(len(answer)), answer]
        return float(chosen.mean())

    plain = reference(base)
    adapted = reference(PeftModel.from_pretrained(base, adapters[0].path))
    assert abs(plain - adapted) > 0.2
    assert served[BASE].tokens == len(answer)
    assert abs(served[BASE].mean_logprob - plain) < 0.03
    assert abs(served[adapters[0].name].mean_logprob - adapted) < 0.03


async def test_not_even_nan_in_one_adapter_silences_the_others(
    vllm_server: VllmServer, adapters: list[Adapter], tmp_path: Path
) -> None:
    # Loaded past our preflight, which would refuse it: the second fence, inside vLLM, is what is tried here.
    source = Path(adapters[0].path)
    tensors = load_file(source / "adapter_model.safetensors")
    for value in tensors.values():
        value.fill(math.nan)
    save_file(tensors, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text((source / "adapter_config.json").read_text())
    client = ModelClient(vllm_server.settings)
    before = await client.complete(BASE, QUESTIONS[0], max_tokens=8)
    async with connect(vllm_server.url, api_key(vllm_server.settings)) as http:
        await http.post("/v1/load_lora_adapter", json={"lora_name": "poison", "lora_path": str(tmp_path)})
        for question in QUESTIONS:
            await http.post("/v1/chat/completions", json={"model": "poison", "messages": question, "max_tokens": 8})
        metrics = (await http.get("/metrics")).text
    corrupted = [line for line in metrics.splitlines() if line.startswith("vllm:corrupted_requests_total{")]
    assert float(corrupted[0].rsplit(" ", 1)[1]) >= 1, "the poison did not work, so the test shows nothing"
    for question in QUESTIONS:
        later = await client.complete(BASE, question, max_tokens=8)
        assert later.text.strip(), "an answer was silenced"
    assert (await client.complete(BASE, QUESTIONS[0], max_tokens=8)).text == before.text
    await client.aclose()


def test_the_kernels_were_checked_and_are_in_use(vllm_server: VllmServer) -> None:
    assert "grouped kernels in use (self-test: largest relative error" in vllm_server.log.read_text()
