"""Writes records/ and signals.json for test/runtime/signals.test.ts: WFDB by wfdb, EDF and BDF by pyEDFlib, filters by scipy.

records/ holds cuts of `test_generator.edf` and `.bdf` that pyEDFlib ships (BSD licence), of record 100 of the MIT-BIH Arrhythmia
Database (ODC-BY 1.0; Moody and Mark, 2001), the record `binformats` that the source of wfdb ships (MIT licence), a signal in each
format but 8, and records that wfdb writes, with samples that are missing. What is compared is what these packages read of them.

    python test/reference/signals.py [folder sample-data of wfdb's source; if absent, its records stay as they are]
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyedflib
import scipy
import wfdb
from scipy.signal import butter, sosfiltfilt

here = Path(__file__).parent
out = here / "records"
out.mkdir(exist_ok=True)
cases = []


def case(name: str, rate: float, names: list[str], values: np.ndarray) -> None:
    """values [leads, samples]"""
    at = sorted({0, 1, 2, 3, 100, 101, values.shape[1] // 2, values.shape[1] - 1})
    kept = [[None if np.isnan(row[t]) else float(row[t]) for t in at] for row in values]
    cases.append(dict(name=name, rate=rate, names=names, length=values.shape[1], at=at, values=kept))


rng = np.random.default_rng(5)
time = np.arange(301) / 250
beats = np.stack([np.sin(7 * time) + 0.1 * rng.standard_normal(301), np.cos(9 * time), 0.5 * np.sin(40 * time)], axis=1)
for fmt, gain, baseline in [("16", 1000.0, 12), ("212", 400.5, -3)]:
    physical = beats.copy()
    physical[100, 1] = np.nan
    wfdb.wrsamp(f"made{fmt}", fs=250, units=["mV"] * 3, sig_name=["I", "aVF", "V1"], p_signal=physical, fmt=[fmt] * 3,
                adc_gain=[gain] * 3, baseline=[baseline] * 3, write_dir=str(out))
    record = wfdb.rdrecord(str(out / f"made{fmt}"))
    case(f"made{fmt}.hea", record.fs, record.sig_name, record.p_signal.T)

if len(sys.argv) > 1:
    given = Path(sys.argv[1])
    lines = (given / "binformats.hea").read_text().splitlines()
    kept = [line for line in lines[1:] if line.split()[1] != "8"]
    (out / "binformats.hea").write_text("\n".join([lines[0].replace(" 10 ", f" {len(kept)} "), *kept, ""]))
    for line in kept:
        (out / line.split()[0]).write_bytes((given / line.split()[0]).read_bytes())
    record = wfdb.rdrecord(str(given / "100"), sampto=500, physical=False)
    wfdb.wrsamp("mitbih100", fs=record.fs, units=record.units, sig_name=record.sig_name, d_signal=record.d_signal, fmt=record.fmt,
                adc_gain=record.adc_gain, baseline=record.baseline, comments=record.comments, write_dir=str(out))
for name in ["mitbih100", "binformats"]:
    record = wfdb.rdrecord(str(out / name))
    case(f"{name}.hea", record.fs, record.sig_name, record.p_signal.T)


def cut(path: Path, target: Path, keep: int, blocks: int, width: int) -> None:
    """The header, and the first blocks with the first signals and the annotations alone."""
    data = path.read_bytes()
    count = int(data[252:256])
    labels = [data[256 + 16 * i : 272 + 16 * i].decode().strip() for i in range(count)]
    kept = [i for i in range(count) if i < keep or "Annotations" in labels[i]]
    widths, header, at = [16, 80, 8, 8, 8, 8, 8, 80, 8, 32], b"", 256
    samples = []
    for w in widths:
        fields = [data[at + w * i : at + w * (i + 1)] for i in range(count)]
        header += b"".join(fields[i] for i in kept)
        samples = samples or ([int(f) for f in fields] if w == 8 and at == 256 + count * 216 else [])
        at += w * count
    head = bytearray(data[:256])
    head[184:192] = f"{256 * (len(kept) + 1):<8}".encode()
    head[236:244] = f"{blocks:<8}".encode()
    head[252:256] = f"{len(kept):<4}".encode()
    body, block = b"", sum(samples) * width
    for b in range(blocks):
        place = at + b * block
        for i in range(count):
            if i in kept:
                body += data[place : place + samples[i] * width]
            place += samples[i] * width
    target.write_bytes(bytes(head) + header + body)


shipped = Path(pyedflib.__file__).parent / "tests" / "data"
for name, width, keep in [("test_generator.edf", 2, 3), ("test_generator.bdf", 3, 1)]:
    cut(shipped / name, out / name, keep, 2, width)
    file = pyedflib.EdfReader(str(out / name))
    case(name, file.getSampleFrequency(0), file.getSignalLabels(), np.stack([file.readSignal(i) for i in range(file.signals_in_file)]))
    file.close()

drifting = np.array([float(f"{v:.9g}") for v in beats[:, 0] + np.linspace(0, 3, 301)])
filters = []
for rate, low, high, order in [(250, 0.67, 40.0, 5), (100, None, 20.0, 2), (360, 5.0, None, 3), (500, 1.0, 100.0, 1)]:
    result = drifting
    if low is not None:
        result = sosfiltfilt(butter(order, low, "highpass", fs=rate, output="sos"), result)
    if high is not None:
        result = sosfiltfilt(butter(order, high, "lowpass", fs=rate, output="sos"), result)
    filters.append(dict(rate=rate, low=low, high=high, order=order, result=[float(f"{v:.12g}") for v in result[::10]]))
versions = {"wfdb": wfdb.__version__, "pyEDFlib": pyedflib.__version__, "scipy": scipy.__version__}
(here / "signals.json").write_text(json.dumps({"versions": versions, "cases": cases, "signal": drifting.tolist(), "filters": filters}))
