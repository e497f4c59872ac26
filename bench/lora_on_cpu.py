"""Time to the first token with an adapter on the CPU: our launch line and kernels against vLLM as it comes.

Three servers run in turn, round by round: vLLM with its own defaults, vLLM started with our flags but its own LoRA
kernels, and ours. "Cold" prompts share nothing with any before; "warm" ones share a system prompt that is cached.
Speed is worth nothing if the answers are wrong, so each server's log-probabilities are compared with PEFT's, and the
base model's with those it gives while an adapter answers in the same batch. The base model's own time is the floor:
an adapter cannot be faster than the model it sits on.
"""

import asyncio
import os
import random
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from serving.access import api_key, connect
from serving.base_model import BaseModel, ensure_base_model
from serving.client import Completion, ModelClient
from serving.launch import ENTRY
from store.settings import ServingSettings, Settings
from store.tables import BASE, Adapter
from tests.fixtures_serving import VllmServer, make_adapter, shared_models

TITLE = "LoRA on the CPU: time to first token"

STOCK = "vLLM as it comes"
OURS = "our flags and kernels"
KINDS = ("cold", "warm")
ASKERS = (1, 4, 16)
ROUNDS = 2
REPEATS = {1: 3, 4: 2, 16: 1}
WORDS = 200

QUESTION = [{"role": "user", "content": "How do I reset my password?"}]
ANSWER = "Please open the company portal, choose Devices and follow the steps that are shown there."

VOCABULARY = (
    "access",
    "account",
    "agent",
    "cable",
    "desk",
    "error",
    "file",
    "group",
    "key",
    "laptop",
    "mail",
    "office",
)


class PlainVllm(VllmServer):
    """vLLM with its own defaults, told no more than what to serve and where."""

    def command(self) -> tuple[list[str], dict[str, str]]:
        """Only what is needed to serve the same model with adapters of the same rank."""
        serving = self.settings.serving
        arguments = [sys.executable, "-m", ENTRY, "--model", str(self.base.path), "--served-model-name", BASE]
        arguments += ["--uds", str(self.settings.socket_path), "--dtype", "bfloat16", "--enable-lora"]
        arguments += ["--max-lora-rank", str(serving.max_lora_rank)]
        arguments += ["--max-model-len", str(serving.max_model_len)]
        arguments += ["--kv-cache-memory-bytes", str(serving.kv_cache_bytes)]
        ours = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1", "VLLM_PLUGINS": "", "HF_HUB_OFFLINE": "1"}
        return arguments, {**os.environ, **ours, "VLLM_NO_USAGE_STATS": "1"}


@dataclass
class Measured:
    """What one server showed: milliseconds to the first token by (cold or warm, askers), and how right it is."""

    first_token_ms: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    from_peft: list[float] = field(default_factory=list)
    base_changed: list[float] = field(default_factory=list)

    def medians(self) -> list[float]:
        """Seconds, one for each kind of prompt and number of askers."""
        return [statistics.median(self.first_token_ms[kind, askers]) / 1000 for kind in KINDS for askers in ASKERS]


@dataclass
class Comparison:
    """The servers' common task and what each has shown so far."""

    adapter: Adapter
    reference: float
    floor: Measured = field(default_factory=Measured)
    shown: dict[str, Measured] = field(default_factory=lambda: defaultdict(Measured))

    async def measure(self, name: str, server: VllmServer, seed: int) -> None:
        """Put a running server through everything once."""
        client, generator = ModelClient(server.settings), random.Random(seed)
        async with connect(server.url, api_key(server.settings)) as http:
            body = {"lora_name": self.adapter.name, "lora_path": self.adapter.path}
            (await http.post("/v1/load_lora_adapter", json=body)).raise_for_status()
        measured = self.shown[name]
        await _time(client, self.adapter.name, generator, measured)
        if name == OURS:
            await _time(client, BASE, generator, self.floor)
        score = await client.score(self.adapter.name, QUESTION, ANSWER)
        measured.from_peft.append(score.mean_logprob - self.reference)
        measured.base_changed += await _base_changes(client, self.adapter.name)
        await client.aclose()

    def rows(self) -> list[str]:
        """The table's rows: each server, the floor, and how they compare."""
        stock, ours, floor = self.shown[STOCK].medians(), self.shown[OURS].medians(), self.floor.medians()
        correct = {
            name: f"{max(one.from_peft, key=abs):+.3f} | {max(one.base_changed, key=abs):+.2f}"
            for name, one in self.shown.items()
        }
        return [
            *(_row(f"{name}, adapter", _seconds(one.medians()), correct[name]) for name, one in self.shown.items()),
            _row(f"{OURS}, no adapter (the floor)", _seconds(floor)),
            _row(f"**{STOCK} ÷ ours**", [f"**{one / other:.1f}×**" for one, other in zip(stock, ours, strict=True)]),
            _row(f"an adapter adds, {STOCK}", _seconds([one - low for one, low in zip(stock, floor, strict=True)])),
            _row("an adapter adds, ours", _seconds([one - low for one, low in zip(ours, floor, strict=True)])),
        ]


def _seconds(values: Sequence[float]) -> list[str]:
    return [f"{value:.2f} s" for value in values]


def _row(name: str, cells: Sequence[str], correct: str = " | ") -> str:
    return f"| {name} | {' | '.join(cells)} | {correct} |"


def _words(generator: random.Random, count: int) -> str:
    return " ".join(generator.choices(VOCABULARY, k=count))


async def _first_tokens(client: ModelClient, name: str, prompts: Sequence[tuple[str, str]]) -> list[float]:
    async def ask(system: str, question: str) -> Completion:
        messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
        return await client.complete(name, messages, max_tokens=2)

    answers = await asyncio.gather(*(ask(*prompt) for prompt in prompts))
    return [answer.first_token_ms or answer.latency_ms for answer in answers]


async def _time(client: ModelClient, name: str, generator: random.Random, measured: Measured) -> None:
    system = _words(generator, WORDS)
    await _first_tokens(client, name, [(_words(generator, WORDS), "Hello?"), (system, "Hello?")])
    for askers in ASKERS:
        for _ in range(REPEATS[askers]):
            cold = [(_words(generator, WORDS), "What now?") for _ in range(askers)]
            measured.first_token_ms["cold", askers] += await _first_tokens(client, name, cold)
            warm = [(system, _words(generator, 8)) for _ in range(askers)]
            measured.first_token_ms["warm", askers] += await _first_tokens(client, name, warm)


async def _base_changes(client: ModelClient, name: str) -> list[float]:
    """How far the base model's first log-probability moves, question by question, when an adapter answers beside it."""

    async def first_logprob(model: str, topic: str) -> float:
        question = [{"role": "user", "content": f"What should I know about the {topic}?"}]
        answer = await client.complete(model, question, max_tokens=1, logprobs=True)
        return answer.mean_logprob or 0.0

    alone = [await first_logprob(BASE, topic) for topic in VOCABULARY]
    beside, _ = await asyncio.gather(
        asyncio.gather(*(first_logprob(BASE, topic) for topic in VOCABULARY)),
        asyncio.gather(*(first_logprob(name, topic) for topic in VOCABULARY)),
    )
    return [other - one for one, other in zip(alone, beside, strict=True)]


def _peft_reference(base: BaseModel, adapter: Adapter) -> float:
    """Mean log-probability of the fixed answer by transformers and PEFT in float32."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base.path)
    text = tokenizer.apply_chat_template(QUESTION, add_generation_prompt=True, tokenize=False)
    prompt = tokenizer(text, add_special_tokens=False)["input_ids"]
    answer = tokenizer(ANSWER, add_special_tokens=False)["input_ids"]
    plain = AutoModelForCausalLM.from_pretrained(base.path, dtype=torch.float32)
    with torch.inference_mode():
        model = PeftModel.from_pretrained(plain, adapter.path)
        logits = model(input_ids=torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
    return float(torch.log_softmax(logits, dim=-1)[range(len(answer)), answer].mean())


def _servers(folder: Path, base: BaseModel) -> dict[str, VllmServer]:
    def settings(name: str, *, plugin: bool) -> Settings:
        blocks = ServingSettings(first_token_timeout_s=400, gap_timeout_s=400, cpu_lora_plugin=plugin)
        return Settings(home=folder / name, models_folder=shared_models(), serving=blocks)

    return {
        STOCK: PlainVllm(settings("plain", plugin=False), base),
        "our flags, vLLM's kernels": VllmServer(settings("flags", plugin=False), base),
        OURS: VllmServer(settings("ours", plugin=True), base),
    }


def table(quick: bool) -> str:
    """Measure all three servers and return the table; `quick` is one round instead of two."""
    rounds = 1 if quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="nightschool-bench-") as folder:
        base = ensure_base_model(Settings(models_folder=shared_models()))
        adapter = make_adapter(base, Path(folder) / "v1-bench", scale=0.1)
        comparison = Comparison(adapter, _peft_reference(base, adapter))
        for seed in range(rounds):
            for name, server in _servers(Path(folder), base).items():
                server.settings.home.mkdir(exist_ok=True)
                server.start()
                try:
                    asyncio.run(comparison.measure(name, server, seed))
                finally:
                    server.stop()
    heads = [f"{kind}, {askers} asking" for kind in KINDS for askers in ASKERS]
    lines = [
        f"| | {' | '.join(heads)} | less PEFT's | base moved by |",
        f"|---|{'---:|' * (len(heads) + 2)}",
        *comparison.rows(),
        "",
        f"Median seconds to the first token of prompts of about {WORDS + 30} tokens, {rounds} round(s), servers in "
        "turn. *Less PEFT's*: mean log-probability of a fixed answer less that of PEFT in float32, in nats a token. "
        "*Base moved by*: largest change of the base model's first log-probability, in nats, when an adapter answers "
        "in the same batch.",
    ]
    return "\n".join(lines)
