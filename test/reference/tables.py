"""Writes Parquet files as pyarrow has them, one of each packing, with dictionaries, missing values and groups of rows, and what they hold.

Usage: python tables.py [folder]
"""

import json
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet

ROWS = {
    "age": [39, 50, None, 53, 28, 37, 49],
    "hours": [40.5, 13.0, 40.0, None, 1e-3, -2.25, float("nan")],
    "sex": ["male", "male", None, "female", "female", "male", "female"],
    "paid": [True, False, True, None, False, True, True],
    "id": [10**12 + i for i in range(7)],
}


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "tables")
    folder.mkdir(exist_ok=True)
    table = pyarrow.table({**ROWS, "tags": [["a"], [], ["b", "c"], None, ["d"], [], []]})
    for packing in ("none", "snappy", "gzip", "zstd", "brotli"):
        pyarrow.parquet.write_table(table, folder / f"{packing}.parquet", compression=packing, row_group_size=3)
    known = {name: [None if value != value else value for value in values] for name, values in ROWS.items()}
    (folder / "rows.json").write_text(json.dumps({"rows": known, "pyarrow": pyarrow.__version__}, indent=1) + "\n")


if __name__ == "__main__":
    main()
