"""Writes vocabularies.json: ids that Hugging Face tokenizers give to 10,000 lines, for three vocabularies that `mae tokenizer` made.

The lines are drawn from `pieces` by numbers that a seed decides, the same here and in test/runtime/text.test.ts: words, signs, letters of many
scripts, marks, controls, emoji. Stored are the digests of the ids of each thousand lines, the first lines in full, and pairs of texts.

    node dist/cli.js tokenizer CORPUS --size 600 -o test/reference/vocabularies/wordpiece.json     (CORPUS: --corpus of this script writes it)
    node dist/cli.js tokenizer CORPUS --size 900 --kind bytes -o test/reference/vocabularies/bytes.json
    node dist/cli.js tokenizer CORPUS --kind letters -o test/reference/vocabularies/letters.json
    python vocabularies.py
"""

import hashlib
import json
import sys
from pathlib import Path

import tokenizers

FOLDER = Path(__file__).parent
PAIR = ("the naïve reader's house, 東京!", "Unhappily re-reading 12")
LINES, CHUNK, SHOWN = 10_000, 1000, 12
WORDS = (
    "the The THE of and don't can't it's we're you'll he'd I'm a an house houses housing unhappy unhappily happiness read reader reading "
    "re-read co-operate 1 12 2024 3.14 1,000 $5 50% e-mail user@example.org https://example.org/a?b=c C++ x=y+1 hello, (world) [MASK] <mask> "
    "<s> [CLS] ... -- — “quoted” ‘so’ naïve café CAFÉ Ångström Straße İstanbul ﬁne Привет мир Ελλάδα שלום مرحبا नमस्ते สวัสดี 東京 日本語 한국어 𝒳 "
    "👍 👩‍👩‍👧 🏳️‍🌈 a\u0301 e\u0308\u0323 \u200b \u00ad \u0000 \u0007 \ufffd \u3000 \t \u00a0 \u2028 ½ ² ① Ⅷ ｆｕｌｌ ~ ` ^ _ \\ / | { } # @ & * ' \" ; :"
).split(" ")


def numbers(seed: int):
    """mulberry32, in [0, 1)."""
    state = seed
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        bits = ((state ^ (state >> 15)) * (1 | state)) & 0xFFFFFFFF
        bits = (bits + ((bits ^ (bits >> 7)) * (61 | bits) & 0xFFFFFFFF) & 0xFFFFFFFF) ^ bits
        yield ((bits ^ (bits >> 14)) & 0xFFFFFFFF) / 2**32


def lines(pieces: list[str], count: int) -> list[str]:
    random = numbers(17)
    made = []
    for _ in range(count):
        parts = []
        for _ in range(1 + int(next(random) * 24)):
            piece = pieces[int(next(random) * len(pieces))]
            parts.append(piece + ("" if next(random) < 0.15 else " "))
        made.append("".join(parts))
    return made


def encoded(name: str, texts: list[str]) -> dict:
    tokenizer = tokenizers.Tokenizer.from_file(str(FOLDER / "vocabularies" / f"{name}.json"))
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
    digests = [
        hashlib.sha256("\n".join(",".join(map(str, row)) for row in ids[at : at + CHUNK]).encode()).hexdigest()
        for at in range(0, len(ids), CHUNK)
    ]
    pair = tokenizer.encode(*PAIR)
    return {
        "digests": digests,
        "ids": ids[:SHOWN],
        "pair": {"ids": pair.ids, "segments": pair.type_ids},
        "whole": tokenizer.encode(PAIR[0]).ids,
    }


def main() -> None:
    texts = lines(WORDS, LINES)
    if "--corpus" in sys.argv:
        # Of these the lines that are no text for `mae tokenizer` are left out.
        kept = [text.replace("\u2028", " ").strip() for text in texts]
        Path(sys.argv[-1]).write_text("".join(f"{text}\n" for text in kept if text), encoding="utf-8")
        return
    found = {name: encoded(name, texts) for name in ("wordpiece", "bytes", "letters")}
    header = {"pieces": WORDS, "texts": PAIR, "lines": LINES, "chunk": CHUNK, **found, "versions": {"tokenizers": tokenizers.__version__}}
    (FOLDER / "vocabularies.json").write_text(json.dumps(header, indent=1) + "\n")
    print({name: len(one["digests"]) for name, one in found.items()})


if __name__ == "__main__":
    main()
