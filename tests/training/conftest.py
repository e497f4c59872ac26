"""A tiny chat model with a tokenizer of its own, and training sets as the night writes them."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    set_seed,
)

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SYSTEM = "You help."
TALK = [
    ("How do I reset my password?", "Open the settings and choose reset."),
    ("Where is my order?", "It ships today."),
    ("How do I pay?", "By card or by invoice, as you like; both take a minute at most."),
    ("Where are you?", "In the old harbour."),
    ("Why is it late?", "The courier was ill."),
    ("How do I cancel?", "Write to us and we cancel it at once."),
]


@pytest.fixture(scope="session")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a two-layer Llama with grouped heads and a chat tokenizer."""
    folder = tmp_path_factory.mktemp("models") / "tiny-chat"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text for pair in TALK for text in pair], trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    wrapped.chat_template = CHAT_TEMPLATE
    wrapped.save_pretrained(folder)
    set_seed(7)
    config = LlamaConfig(
        vocab_size=len(wrapped),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.2,
        eos_token_id=wrapped.eos_token_id,
        pad_token_id=wrapped.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# A tiny model\n")
    return folder


@pytest.fixture(scope="session")
def plain_model(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny model with soft-capped attention, which cannot run on packed rows: TRL's own way is taken."""
    folder = tmp_path_factory.mktemp("models") / "tiny-capped"
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base_model)
    tokenizer.save_pretrained(folder)
    set_seed(7)
    config = Gemma2Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        attn_logit_softcapping=0.5,
        query_pre_attn_scalar=1,
        max_position_embeddings=512,
        initializer_range=0.2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    Gemma2ForCausalLM(config).save_pretrained(folder)
    return folder


def conversation(question: str, answer: str, **columns: Any) -> dict[str, Any]:
    """One row of a training set."""
    prompt = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
    row = {
        "prompt": prompt,
        "completion": answer,
        "rejected": "",
        "weight": 1,
        "answer_id": 1,
        "ticket_id": 1,
        "split": "train",
    }
    return row | columns


def write_dataset(file: Path, rows: list[dict[str, Any]]) -> Path:
    """A training set as a Parquet file."""
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file
