"""Writes scans/ and scans.json for test/runtime/scans.test.ts: NIfTI by nibabel, DICOM by pydicom.

scans/ holds two files that nibabel ships (MIT licence), a cut of a third, files that nibabel writes with every kind of number and
orientation, and a series made of cuts of `MR_small.dcm` that pydicom ships (MIT licence), put one behind the other. What is compared is what
these packages read of them, turned so that depth runs to the head, rows to the back and columns to the left.
"""

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
from nibabel.processing import resample_to_output
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

here = Path(__file__).parent
out = here / "scans"
shutil.rmtree(out, ignore_errors=True)
out.mkdir()
data = Path(nib.__file__).parent / "tests" / "data"
cases = []


def canonical(image) -> tuple[np.ndarray, list[float]]:
    """[depth, row, column, channel], spacing"""
    image = nib.as_closest_canonical(image)
    values = image.get_fdata()[::-1, ::-1]
    values = values.reshape(values.shape[:3] + (-1,), order="F")
    return values.transpose(2, 1, 0, 3), [float(z) for z in image.header.get_zooms()[2::-1]]


def kept(values: np.ndarray) -> dict:
    rng = np.random.default_rng(1)
    at = [[0, 0, 0], [n - 1 for n in values.shape[:3]], *([int(rng.integers(n)) for n in values.shape[:3]] for _ in range(12))]
    return dict(size=list(values.shape[:3]), channels=values.shape[3], at=at, values=[[None if np.isnan(v) else v for v in values[tuple(p)].tolist()] for p in at])


def case(name: str) -> None:
    image = nib.load(out / name)
    values, spacing = canonical(image)
    cases.append(dict(name=name, spacing=spacing, **kept(values)))


for name in ["standard.nii.gz", "resampled_anat_moved.nii"]:  # The second is big-endian, with voxels that are no numbers.
    shutil.copy(data / name, out / name)
    case(name)
large = nib.load(data / "example_nifti2.nii.gz")
nib.save(large.slicer[8:20, 10:20, :2, 0], out / "nifti2.nii.gz")
case("nifti2.nii.gz")

rng = np.random.default_rng(7)
turn = nib.eulerangles.euler2mat(0.2, -0.1, 0.3)
grids = {
    "oblique-int16": (turn @ np.diag([1.5, 2, 3]), (5, 6, 7), np.int16, False),
    "sagittal-uint8": (np.array([[0, 0, -2], [-1, 0, 0], [0, 1.25, 0]]), (4, 5, 6), np.uint8, False),
    "two-channels-float32": (np.diag([-1.0, 1, 4]), (4, 3, 5, 2), np.float32, False),
    "big-endian-float64": (np.diag([2.0, -2, -2]), (4, 4, 3), np.float64, True),
    "scaled-int16": (np.diag([1.0, 1, 1]), (6, 4, 4), np.int16, False),
}
for name, (matrix, shape, dtype, swap) in grids.items():
    values = rng.integers(0, 250, shape).astype(dtype) if dtype != np.float64 else rng.standard_normal(shape)
    affine = nib.affines.from_matvec(matrix, [3, -20, 8])
    header = nib.Nifti1Header(endianness=">" if swap else "<")
    image = nib.Nifti1Image(values, affine, header)
    image.set_data_dtype(dtype)
    if name.startswith("oblique"):
        # The quaternion alone.
        image.set_qform(affine, 1)
        image.set_sform(None, 0)
    if name.startswith("scaled"):
        image.header.set_slope_inter(0.5, -10)
        image = nib.Nifti1Image(values * 0.5 - 10, affine, image.header)
    nib.save(image, out / f"{name}.nii")
    case(f"{name}.nii")

spaced = []
for name, spacing in [("sagittal-uint8.nii", [0.8, 1.5, 1.9]), ("oblique-int16.nii", [2.0, 1.0, 1.0])]:
    values, own = canonical(nib.load(out / name))
    # nibabel resamples to axes of the body: here the grid stays, so it is given as lying straight.
    straight = nib.Nifti1Image(values[..., 0].astype(np.float64), np.diag([*own, 1]))
    result = resample_to_output(straight, spacing, order=1).get_fdata()
    size = [int(np.floor((n - 1) * a / b + 1e-6)) + 1 for n, a, b in zip(values.shape, own, spacing)]
    result = result[: size[0], : size[1], : size[2], None]
    spaced.append(dict(name=name, to=spacing, **kept(result)))

series = out / "series"
series.mkdir()
source = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
normal = np.cross(source.ImageOrientationPatient[:3], source.ImageOrientationPatient[3:])
stack = []
for i, name in enumerate(["c", "a", "d", "b"]):
    slice = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    pixels = np.ascontiguousarray(source.pixel_array[20 + i : 32 + i, 16:26])
    slice.Rows, slice.Columns = pixels.shape
    slice.PixelData = pixels.tobytes()
    slice.ImagePositionPatient = [round(float(p), 6) for p in np.array(source.ImagePositionPatient) + 4.5 * i * normal]
    slice.RescaleSlope, slice.RescaleIntercept = "2", str(-100 - i)
    for tag in [t for t in slice.keys() if t.group not in (0x0008, 0x0018, 0x0020, 0x0028, 0x7FE0)]:
        del slice[tag]
    if name == "d":
        slice.decompress() if slice.file_meta.TransferSyntaxUID.is_compressed else None
        slice.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        slice.save_as(series / f"{name}.dcm", implicit_vr=True, little_endian=True)
    else:
        slice.save_as(series / f"{name}.dcm")
    stack.append(pixels * 2.0 - 100 - i)
read = [pydicom.dcmread(series / f"{n}.dcm") for n in "cadb"]
stack = np.stack([r.pixel_array * float(r.RescaleSlope) + float(r.RescaleIntercept) for r in read], axis=2)
affine = np.eye(4)
row, column = np.array(source.ImageOrientationPatient[:3], float), np.array(source.ImageOrientationPatient[3:], float)
spacing = [float(v) for v in source.PixelSpacing]
# DICOM counts to the left and to the back, nibabel to the right and to the front.
affine[:3, 0], affine[:3, 1], affine[:3, 2] = row * spacing[1], column * spacing[0], normal * 4.5
affine[:2] *= -1
values, own = canonical(nib.Nifti1Image(stack.transpose(1, 0, 2), affine))
cases.append(dict(name="series", spacing=own, **kept(values)))
shutil.copy(get_testdata_file("JPEG2000.dcm"), out / "packed.dcm")
versions = {"nibabel": nib.__version__, "pydicom": pydicom.__version__}
(here / "scans.json").write_text(json.dumps({"versions": versions, "cases": cases, "spaced": spaced}))
