/** The commands about trained models: what they take, and how `--help` teaches them. What the others are is said in `program.ts`. */

import { type Command, Option } from "commander";
import { amount, listOfBlocks, listOfWords, wholeNumber } from "./arguments.js";
import { addText, command } from "./help.js";
import { configOption, onBackend, splitOption, weightsOption } from "./options.js";

const nameInRun = [
  "[name]",
  "of a run whose recipes stand beside each other, one of them or its model (default: the recipe that names the others)",
] as const;

const checkpointOfRun = ["--checkpoint <file>", "a checkpoint of the run (default: the newest)"] as const;

const roundsOption = (): Option =>
  new Option("--rounds <n>", "of a model that generates frames: in how many rounds (default: 8)").argParser(
    wholeNumber(1, 1024),
  );

const temperatureOption = (): Option =>
  new Option("--temperature <t>", "how much by chance codes stay from round to round (default: 4.5)").argParser(amount);

const curveOption = (): Option =>
  new Option("--curve <name>", "how what is left to guess becomes less (default: cosine)").choices([
    "cosine",
    "linear",
  ]);

/** With the recipe that is named. */
const of = <Options>(recipe: string | undefined, options: Options): Options =>
  recipe === undefined ? options : { ...options, recipe };

/** Commands that take a run or a checkpoint. */
export function addTrained(program: Command): void {
  addText(
    onBackend(
      command(
        program,
        "eval",
        "Judge a trained encoder: features of the frozen encoder, then small classifiers on them.",
      )
        .argument("<run>", "folder of a run")
        .argument(...nameInRun)
        .option(
          "--with <probes>",
          "probes joined by commas, by name or with values, such as few_shot(shots: 1) (default: every one that computes features once)",
          listOfBlocks,
        )
        .addOption(
          new Option(
            "--features <what>",
            "the class token, the mean of the patches, or all latents side by side (default: what the model has)",
          ).choices(["cls", "mean", "flat"]),
        )
        .option("--of <output>", "of a model of several inputs, an output that mae plan names, such as joint.audio")
        .option("--layer <n>", "take the features after this layer of the encoder (default: the last)", wholeNumber(1))
        .option("--no-baselines", "judge only the trained encoder, not also an untrained one and the pixels")
        .option(...checkpointOfRun)
        .addOption(weightsOption())
        .option(
          "--samples <n>",
          "judge on at most this many images of each split, spread evenly over it",
          wholeNumber(1),
        )
        .option("--pictures <folder>", "of label_propagation, also write a picture of each sequence")
        .option("--scores <folder>", "of anomalies, also write the scores: a table and a picture of them over time")
        .addOption(roundsOption())
        .addOption(temperatureOption())
        .addOption(curveOption())
        .option("--seed <n>", "seed of the classifiers (default: the run's)", wholeNumber(0))
        .option("--json", "print one JSON document"),
    ).action(async (run: string, name: string | undefined, options) => {
      await (await import("./commands/eval.js")).evaluate(run, of(name, options));
    }),
    [
      ["mae eval runs/digits", "every probe, beside an untrained encoder and the pixels"],
      [
        'mae eval runs/shapes --with "label_propagation(frames: "davis/frames", maps: "davis/maps")" --pictures carried',
        "J and F of regions that features carry along frames, with pictures",
      ],
      ["mae eval runs/digits --with knn --features mean --json", "one of them, for a script"],
      ["mae eval runs/omni-mae PretrainImages", "of clips and images in one run, the images"],
      [
        'mae eval runs/uvad --with "anomaly(smooth: 2)" --scores scores',
        "scores of anomalies, with a picture over time",
      ],
      ['mae eval runs/digits --with "linear_crops(epochs: 20), few_shot(shots: 1)"', "with values of their own"],
    ],
  );
  addText(
    onBackend(
      command(
        program,
        "show",
        "Write a picture of reconstructions: of each image all of it, the patches that the model sees, what it predicts, and that with the seen patches pasted in.",
      )
        .argument("<run>", "folder of a run")
        .argument(...nameInRun)
        .option("--out <file>", "the PNG file (default: reconstruction.png in the run)")
        .option("--count <n>", "how many images, spread evenly over the data", wholeNumber(1), 8)
        .option("--media", "also write clips and volumes as an animated WebP, and spectrograms as rough WAV sounds")
        .addOption(splitOption())
        .option("--seed <n>", "seed of the masks", wholeNumber(0))
        .addOption(roundsOption())
        .addOption(temperatureOption())
        .addOption(curveOption())
        .option(...checkpointOfRun)
        .addOption(weightsOption()),
    ).action(async (run: string, name: string | undefined, options) => {
      await (await import("./commands/show.js")).show(run, of(name, options));
    }),
    [
      ["mae show runs/digits", "eight test images, into the run"],
      ["mae show runs/digits --count 16 --out digits.png", "sixteen, elsewhere"],
      ["mae show runs/sounds --count 2 --media", "two, with sounds to listen to"],
      ["mae show runs/omni-mae PretrainImages", "of clips and images in one run, the images"],
      [
        "mae show runs/clips --rounds 12 --temperature 2",
        "of a model that generates frames: what it makes of the first ones",
      ],
    ],
  );
  addText(
    onBackend(
      command(
        program,
        "diagnose",
        "Look inside the model of a run: attention by layer and head, how alike its patches are, the spectrum of its features, what its decoder uses, and how patches fall into groups.",
      )
        .argument("<run>", "folder of a run")
        .argument(...nameInRun)
        .option(
          "-o, --out <file>",
          "the page (default: diagnosis.html in the run); the picture of groups lies beside it",
        )
        .option("--samples <n>", "on at most this many samples, spread evenly over the data", wholeNumber(2), 256)
        .addOption(splitOption())
        .option("--against <run>", "how alike its layers are to those of another run or checkpoint that reads the same")
        .option("--seed <n>", "seed of masks and clusters (default: the run's)", wholeNumber(0))
        .option(...checkpointOfRun)
        .addOption(weightsOption())
        .option("--force", "replace a file that --out names")
        .option("--json", "print one JSON document"),
    ).action(async (run: string, name: string | undefined, options) => {
      await (await import("./commands/diagnose.js")).diagnose(run, of(name, options));
    }),
    [
      ["mae diagnose runs/digits", "a page with plots, runs/digits/diagnosis.html"],
      ["mae diagnose runs/digits --against runs/untrained --json", "numbers, with how alike two encoders are"],
    ],
  );
  addText(
    command(
      program,
      "watch",
      "Show runs as a live page on this machine: losses, learning rate, pace, probes and reconstructions as they come. Nothing is sent anywhere.",
    )
      .argument("[runs...]", "folders of runs, or folders that hold some (default: runs)")
      .option("--port <n>", "port of 127.0.0.1 to listen at; 0: any that is free", wholeNumber(0, 65_535), 6116)
      .option("--open", "open it in the browser")
      .action(async (runs: string[], options) => {
        await (await import("./commands/watch.js")).watch(runs, options);
      }),
    [
      ["mae watch", "every run below runs/, while they are trained and after"],
      ["mae watch runs/a runs/b --open", "two of them, one over the other"],
    ],
  );
  addText(
    command(
      program,
      "report",
      "Write a page to show to others, whole in one file: results of runs, what differs, curves, probes, reconstructions, costs, specs.",
    )
      .argument("<runs...>", "folders of runs, or folders that hold some")
      .option("-o, --out <file>", "the file (default: report.html in the first folder)")
      .option("--title <text>", "its title (default: the first folder)")
      .option("--force", "replace a file that is already there")
      .option(...configOption)
      .action(async (runs: string[], options) => {
        await (await import("./commands/report.js")).report(runs, options);
      }),
    [
      ["mae report runs/digits", "one run, as runs/digits/report.html"],
      ["mae report runs/a runs/b -o compared.html", "two runs, side by side"],
    ],
  );
  addText(
    command(
      program,
      "export",
      "Write a trained model for others: as an ONNX file that any tool runs, as a folder that Hugging Face, timm or official scripts load, or as a package for web pages.",
    )
      .argument("<source>", "folder of a run, whose newest checkpoint is taken, or a checkpoint")
      .argument(...nameInRun)
      .addOption(
        new Option("--to <format>", "an ONNX file, a folder for a library, or a package for web pages")
          .choices(["onnx", "huggingface", "timm", "official", "browser"])
          .default("onnx"),
      )
      .option(
        "--what <output>",
        "of ONNX: encode: features of whole samples (default); reconstruct: predictions of masked ones; classify: what a head says; or an output that mae plan names, such as joint.audio",
      )
      .option("-o, --out <path>", "the file or folder (default: <output>.onnx or the format beside the checkpoint)")
      .option("--batch <n>", "of ONNX: for this many images at a time (default: any number)", wholeNumber(1))
      .addOption(weightsOption())
      .option("--pixels", "of ONNX: take pixels from 0 to 255 (default: images normalized as in training)")
      .option("--force", "replace a file that is already there")
      .option("--json", "print one JSON document")
      .option(...configOption)
      .action(async (source: string, name: string | undefined, options) => {
        await (await import("./commands/export.js")).exportModel(source, of(name, options));
      }),
    [
      ["mae export runs/digits", "its encoder, as runs/digits/encode.onnx"],
      ["mae export runs/digits --pixels -o digits.onnx", "for images as they are stored"],
      ["mae export runs/digits --what reconstruct", "images and masks in, predictions out"],
      ["mae export runs/digits --to browser", "a package that a page imports: pictures in, completed ones out"],
      ["mae export runs/digits --to huggingface", "a folder that transformers loads with from_pretrained"],
      ["mae export checkpoint-500.safetensors --batch 1", "a checkpoint, for one image at a time"],
    ],
  );
  addText(
    command(
      program,
      "import",
      "Read weights that others trained, of PyTorch or safetensors: ViT, MAE, VideoMAE, BERT, ConvNeXt, Swin and ResNet of official repositories, timm and Hugging Face. Nothing in the file is run.",
    )
      .argument("<weights>", "a .pth, .pt, .bin or .safetensors file")
      .argument("[file]", "a .mae file: bring them to a model of it (default: say what the weights are)")
      .option("--model <name>", "the model or recipe (default: the only one of the file)")
      .option("--fresh <parts>", "parts of the model that may start from scratch, joined by commas", listOfWords)
      .addOption(
        new Option("--adapt <what>", "take patches of another number of channels, summed or repeated").choices([
          "channels",
        ]),
      )
      .option("-o, --out <file>", "write a checkpoint of the model: a .safetensors file")
      .option("--seed <n>", "seed of what starts from scratch (default: 0)", wholeNumber(0))
      .option("--force", "replace a file that is already there")
      .option("--json", "print one JSON document")
      .option(...configOption)
      .action(async (weights: string, file: string | undefined, options) => {
        await (await import("./commands/import.js")).importWeights(weights, file, options);
      }),
    [
      ["mae import mae_pretrain_vit_base.pth", "what is in the file"],
      [
        "mae import mae_pretrain_vit_base.pth mae-base.mae --fresh decoder",
        "what of the model it gives, weight by weight",
      ],
      [
        "mae import vit.safetensors mae.mae --fresh decoder -o vit-mae.safetensors",
        "the same as a checkpoint, which eval and export take",
      ],
    ],
  );
  addText(
    onBackend(
      command(
        program,
        "features",
        "Write what a trained encoder makes of images: a row of numbers for each, with its label and its path.",
      )
        .argument("<source>", "folder of a run, whose newest checkpoint is taken, or a checkpoint")
        .argument(...nameInRun)
        .option(
          "-o, --out <file>",
          "the file: .npz for NumPy, .safetensors or .csv (default: features.npz beside the checkpoint)",
        )
        .option(
          "--data <path>",
          "a folder of samples, or a .npy or IDX file; of a model of several inputs one for each, as audio=sounds (default: the data of the recipe)",
          (word: string, all: readonly string[] = []) => [...all, word],
        )
        .option("--labels <file>", "labels of what --data names: of a folder a CSV file, else an array")
        .option("--of <output>", "of a model of several inputs, an output that mae plan names, such as joint.audio")
        .addOption(splitOption().conflicts("data"))
        .addOption(
          new Option(
            "--select <what>",
            "the class token, the mean of the patches, or all latents side by side (default: the class token, or the latents, where the model has some)",
          ).choices(["cls", "mean", "flat"]),
        )
        .option("--layer <n>", "take the features after this layer of the encoder (default: the last)", wholeNumber(1))
        .option("--samples <n>", "at most this many images, spread evenly over the data", wholeNumber(1))
        .addOption(weightsOption())
        .option("--force", "replace a file that is already there")
        .option("--json", "print one JSON document"),
    ).action(async (source: string, name: string | undefined, options) => {
      await (await import("./commands/features.js")).features(source, of(name, options));
    }),
    [
      ["mae features runs/digits", "of the test images, as runs/digits/features.npz"],
      ["mae features runs/digits --split train -o train.npz", "of the training images"],
      ["mae features runs/a --data photos --select mean -o photos.csv", "of a folder of images"],
      ["mae features checkpoint-500.safetensors --data images.npy --labels labels.npy", "of arrays, by a checkpoint"],
    ],
  );
}
