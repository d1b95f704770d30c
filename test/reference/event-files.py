"""What TensorBoard itself writes of one event and one picture, and what it reads in event files of ours.

python test/reference/event-files.py            prints the records as test/reference/event-files.json has them
python test/reference/event-files.py FOLDER     lists the scalars and pictures of a run's event files
"""

import json
import pathlib
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


class Kept:
    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data


def record(*values):
    kept = Kept()
    event = Event(wall_time=1764336000.25, step=70000, summary=Summary(value=list(values)))
    RecordWriter(kept).write(event.SerializeToString())
    return kept.data.hex()


if len(sys.argv) > 1:
    events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    scalars = {
        tag: [[one.step, one.value] for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }
    images = {
        tag: [[one.step, one.width, one.height, len(one.encoded_image_string)] for one in events.Images(tag)]
        for tag in events.Tags()["images"]
    }
    print(json.dumps({"scalars": scalars, "images": images}))
else:
    # The head of a PNG file of 300 x 2 pixels, all that a writer looks at.
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">II", 300, 2)
    image = Summary.Image(height=2, width=300, colorspace=3, encoded_image_string=png)
    scalars = [Summary.Value(tag="knn/top1", simple_value=0.1), Summary.Value(tag="knn/größe", simple_value=-3e-9)]
    print(
        json.dumps(
            {
                "scalars": record(*scalars),
                "picture": record(Summary.Value(tag="reconstruction", image=image)),
                "png": png.hex(),
            },
            indent=2,
        )
    )
