"""The fast pass gives the loss and the gradients of stock TRL: packed rows, shared prefix, no mask, chunked loss."""

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

from store.settings import TrainingSettings
from tests.training.conftest import TALK, conversation
from trainer.training import packed_model
from trainer.training.packing import PackCollator, pack
from trainer.training.rows import Row, encode
from trainer.training.trainer import as_dataset, lora


def rows_of(base_model: Path, talk: list[tuple[str, str]]) -> list[Row]:
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    made = [conversation(question, answer) for question, answer in talk]
    return [encode(tokenizer, row["prompt"], row["completion"]) for row in made]


def adapted(base_model: Path, *, fast: bool) -> Any:
    """The tiny model with an adapter whose B is not zero, so that every gradient is at work."""
    model = AutoModelForCausalLM.from_pretrained(base_model, dtype=torch.float32)
    torch.manual_seed(3)
    peft = get_peft_model(model, lora(TrainingSettings(rank=4, alpha=8), fast=fast))
    for name, parameter in peft.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    return peft


def gradients(model: Any) -> dict[str, torch.Tensor]:
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad}


def stock(base_model: Path, rows: list[Row], folder: Path) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of one batch in TRL's own trainer: padded, masked, the whole sequence at a time."""
    arguments = SFTConfig(output_dir=str(folder), use_cpu=True, bf16=False, report_to=[], max_length=None)
    trainer = SFTTrainer(
        model=adapted(base_model, fast=False),
        args=arguments,
        train_dataset=as_dataset(rows),
        processing_class=AutoTokenizer.from_pretrained(base_model),
    )
    batch = trainer.data_collator([row.example for row in rows])
    loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    return float(loss.detach()), gradients(trainer.model)


def packed(base_model: Path, rows: list[Row], *, compiled: bool = False) -> tuple[float, dict[str, torch.Tensor]]:
    model = adapted(base_model, fast=True)
    causal_lm = model.get_base_model()
    packed_model.packed_attention.register()
    causal_lm.set_attn_implementation(packed_model.packed_attention.NAME)
    causal_lm.enable_input_require_grads()
    packs = PackCollator()([row.example for row in rows])["packs"]
    scored = sum(len(each.targets) for each in packs)
    chunk_loss = packed_model.compile_layers(causal_lm) if compiled else packed_model.softmax_minus_target
    total = 0.0
    for each in packs:
        loss = packed_model.summed_loss(causal_lm, each, chunk_loss) / scored
        loss.backward()
        total += float(loss.detach())
    return total, gradients(model)


Found = tuple[float, dict[str, torch.Tensor]]


def assert_same(found: Found, expected: Found, atol: float = 1e-6) -> None:
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    assert found[1].keys() == expected[1].keys()
    for name, gradient in expected[1].items():
        assert gradient.abs().max() > 0
        torch.testing.assert_close(found[1][name], gradient, rtol=1e-3, atol=atol)


@pytest.mark.parametrize(
    "talk",
    [
        TALK,
        TALK[:1],
        [TALK[0], TALK[0], TALK[2]],
        [TALK[0], ("How do I reset my password?", "By post.")],
    ],
    ids=["unlike lengths", "a lone row", "a repeated row", "one prompt, two answers"],
)
def test_loss_and_adapter_gradients_equal_stock_trl(
    base_model: Path, tmp_path: Path, talk: list[tuple[str, str]]
) -> None:
    rows = rows_of(base_model, talk)
    assert_same(packed(base_model, rows), stock(base_model, rows, tmp_path))


def test_rows_with_nothing_in_common_and_several_packs(
    base_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(base_model, TALK)
    rows[0] = Row(rows[0].ids[3:], rows[0].completion_start - 3)
    monkeypatch.setattr("trainer.training.packing.MAX_PACK_TOKENS", 200)
    assert len(PackCollator()([row.example for row in rows])["packs"]) > 1
    assert_same(packed(base_model, rows), stock(base_model, rows, tmp_path))


@pytest.mark.slow
def test_compiled_layers_give_the_same(base_model: Path, tmp_path: Path) -> None:
    rows = rows_of(base_model, TALK)
    assert_same(packed(base_model, rows, compiled=True), stock(base_model, rows, tmp_path))


def test_the_common_prompt_is_laid_out_once(base_model: Path) -> None:
    rows = rows_of(base_model, TALK)
    together = pack([row.ids for row in rows], [row.example["labels"] for row in rows])
    assert together.real_tokens == sum(len(row.ids) for row in rows)
    assert together.prefix > 5
    assert together.input_ids.shape[1] == together.real_tokens - (len(rows) - 1) * together.prefix
    answers = [token for row in rows for token in row.ids[row.completion_start :]]
    assert together.targets.tolist() == answers


def test_a_model_whose_loss_would_differ_is_left_alone(base_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = AutoModelForCausalLM.from_pretrained(base_model, dtype=torch.float32)
    rows = rows_of(base_model, TALK)
    assert packed_model.enable(model, rows)
    assert model.config._attn_implementation == "packed"
    other = AutoModelForCausalLM.from_pretrained(base_model, dtype=torch.float32)
    other.model.layers[0].self_attn.scaling *= 2
    before = other.config._attn_implementation
    attend = packed_model.packed_attention.packed_attention

    def without_the_models_own_scaling(*states: Any, scaling: float, **layout: Any) -> Any:
        return attend(*states, scaling=scaling / 2, **layout)

    monkeypatch.setattr(packed_model.packed_attention, "packed_attention", without_the_models_own_scaling)
    assert not packed_model.enable(other, rows)
    assert other.config._attn_implementation == before
