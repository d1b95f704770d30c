"""Hands the events of a run, as JSON lines on stdin, to the client of W&B or MLflow that is installed here.

Where the data go, and under whose name, is settled by that client: by its login, its variables and its files.
"""

import json
import signal
import sys

# Ctrl-C is the training's to answer: this ends when its events do.
signal.signal(signal.SIGINT, signal.SIG_IGN)


def numbers(event):
    """The scalars of an event, by name."""
    if event["kind"] == "probe":
        found = {f"{event['name']}/{score}": value for score, value in event["scores"].items()}
    elif event["kind"] == "step":
        terms = event["terms"] if len(event["terms"]) > 1 else {}
        found = {
            "loss": event["loss"],
            **{f"loss/{name}": value for name, value in terms.items()},
            "learning_rate": event["lr"],
            "gradient_norm": event.get("gradient_norm"),
            "samples_per_second": event["images_per_second"],
            "waiting": event["waiting"],
        }
    else:
        found = {}
    return {name: value for name, value in found.items() if isinstance(value, (int, float))}


def to_wandb(begin, events):
    run = wandb.init(name=begin["name"], id=begin["id"], resume="allow", dir=begin["directory"], config=begin["config"])
    for event in events:
        step = event.get("step")
        if event["kind"] == "picture":
            run.log({"reconstruction": wandb.Image(event["path"])}, step=step)
        elif found := numbers(event):
            run.log(found, step=step)
    run.finish()


def to_mlflow(begin, events):
    import time

    from mlflow.entities import Metric

    known = mlflow.search_runs(filter_string=f"tags.mae_id = '{begin['id']}'", output_format="list")
    again = {"run_id": known[0].info.run_id} if known else {"run_name": begin["name"], "tags": {"mae_id": begin["id"]}}
    with mlflow.start_run(**again) as run:
        client = mlflow.MlflowClient()
        if not known:
            mlflow.log_params({name: str(value)[:500] for name, value in begin["config"].items() if name != "spec"})
            mlflow.log_text(begin["config"]["spec"], "spec.mae")
        waiting, sent = [], time.time()
        for event in events:
            now = int(time.time() * 1000)
            waiting += [Metric(name, float(value), now, event["step"]) for name, value in numbers(event).items()]
            if event["kind"] == "picture":
                mlflow.log_artifact(event["path"])
            # A server takes a thousand at once.
            if len(waiting) > 500 or (waiting and time.time() - sent > 2):
                client.log_batch(run.info.run_id, metrics=waiting)
                waiting, sent = [], time.time()
        if waiting:
            client.log_batch(run.info.run_id, metrics=waiting)


if sys.argv[1] == "wandb":
    import wandb
else:
    import mlflow
print("ready", flush=True)
first = sys.stdin.readline()
if first:
    # What clients say is for people, as the training's own words are.
    sys.stdout = sys.stderr
    rest = (json.loads(line) for line in sys.stdin)
    (to_wandb if sys.argv[1] == "wandb" else to_mlflow)(json.loads(first), rest)
