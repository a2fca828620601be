"""One thread per test: a second one gains nothing on small models and waits for a core that others use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from ttsops.engines.nn.qwen_tokenizer import QWEN_WORDS

CORPUS = (
    "The quick brown fox jumps over the lazy dog. It's 12:30, isn't it?\n\nYes! I'll (quietly): we've won.",
    "Größe, naïve café, Ünïcödé — “quotes” and e-mail@example.org; 3.14 and 1,000 dollars.\r\n",
    "你好，世界。今天天气很好！これはテストです。한국어 문장입니다.",
    "Hello hello hello world, this is a long sentence of common words that the merges learn.",
)


@pytest.fixture(autouse=True, scope="session")
def one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def qwen_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer laid out as Qwen2.5's, control tokens included, with a few hundred merges of its own."""
    folder = tmp_path_factory.mktemp("qwen")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS * 4, trainer)
    tokenizer.model.save(str(folder))
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>"])
    tokenizer.add_tokens(["<tool_call>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
