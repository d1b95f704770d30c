"""Writes smiles.json: molecules as the ids of a vocabulary that `mae tokenizer --kind smiles` made, by Python's own regular expressions.

The pattern is that of Schwaller et al. (Molecular Transformer, ACS Central Science 2019), a list of words gives the ids. Hugging Face tokenizers open the same
file and have to agree.

    python smiles.py CORPUS                    writes the molecules, one in each line
    node dist/cli.js tokenizer CORPUS --kind smiles --size 64 -o test/reference/vocabularies/smiles.json
    python smiles.py
"""

import json
import re
import sys
from pathlib import Path

import tokenizers

FOLDER = Path(__file__).parent
PATTERN = re.compile(r"(\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|\/|:|~|@|\?|>|\*|\$|\%[0-9]{2}|[0-9])")
MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",
    "CN1CCC[C@H]1c1cccnc1",
    "C[N+](C)(C)CC(=O)[O-]",
    "OC[C@H]1OC(O)[C@H](O)[C@@H](O)[C@@H]1O",
    "C/C=C\\C(=O)OCC",
    "[Na+].[Cl-]",
    "N#Cc1ccc(Br)cc1I",
    "FC(F)(F)c1cc(Cl)sc1",
    "CP(=O)(O)O[13CH3]",
    "C1CC2CCC1C%10CC%10C2",
    "B(O)(O)c1cc[nH]c1",
    "CCO>>CC=O",
    "C1=CC=C2C(=C1)C=CC=C2S(=O)(=O)N",
    "CC(C)(C)[Si](C)(C)OC$C",
]
# What the vocabulary lacks, and what no molecule has.
STRANGE = ["C[Se]C", "CXC", "CC H", ""]


def main() -> None:
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text("".join(f"{smiles}\n" for smiles in MOLECULES))
        return
    path = FOLDER / "vocabularies" / "smiles.json"
    vocabulary = json.loads(path.read_text())["model"]["vocab"]
    rows = []
    for smiles in MOLECULES:
        parts = PATTERN.findall(smiles)
        assert "".join(parts) == smiles, smiles
        rows.append([vocabulary[part] for part in parts])
    library = tokenizers.Tokenizer.from_file(str(path))
    for smiles, ids in zip(MOLECULES, rows, strict=True):
        assert library.encode(smiles, add_special_tokens=False).ids == ids, smiles
    strange = [library.encode(smiles, add_special_tokens=False).ids for smiles in STRANGE]
    made = {"molecules": MOLECULES, "ids": rows, "strange": STRANGE, "strange_ids": strange, "versions": {"python": sys.version.split()[0], "tokenizers": tokenizers.__version__}}
    (FOLDER / "smiles.json").write_text(json.dumps(made, indent=1) + "\n")
    print(len(rows), "molecules")


if __name__ == "__main__":
    main()
