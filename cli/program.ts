/**
 * What commands there are, what they take, and how `--help` teaches them. Nothing here does work: each command's
 * module loads when it is called, so that a light command never waits for a heavy one.
 */

import { Argument, Command, Option } from "commander";
import {
  checkpointInterval,
  chooseFile,
  chooseReporter,
  type ReporterChoice,
  reporterNames,
  wholeNumber,
  wholeNumbers,
} from "./arguments.js";
import { addDataCommands } from "./data-commands.js";
import { addText, command, interruptedCode, output } from "./help.js";
import {
  checkpointOption,
  configOption,
  measuredBackends,
  memoryOption,
  microBatchOption,
  mostSamples,
  mostThreads,
  onBackend,
  onHosts,
  plannedDevicesOption,
  recomputeOption,
  specArgument,
} from "./options.js";
import { packageVersion } from "./package-root.js";
import { addTrained } from "./trained-commands.js";
import { forceColor } from "./words/terminal.js";

export function createProgram(): Command {
  const program = new Command("mae")
    .description("The language of masked autoencoders: check, plan, build and train models written as text.")
    .usage("<command> [options]")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "show help; also after a command")
    .option("--color", "use colours even where the output is no terminal")
    .option("--no-color", "use no colours (also: the variable NO_COLOR)")
    .option("--trace", "show the stack when mae itself fails")
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .configureOutput(output)
    .exitOverride()
    .on("option:color", () => forceColor(true))
    .on("option:no-color", () => forceColor(false));
  addText(
    program,
    [
      ["mae init first", "write a first project into the folder first"],
      ["mae check", "check every .mae file below this folder"],
      ["mae plan model.mae", "what the model costs before it runs"],
      ["mae train model.mae", "train it, with a picture of what it learned at the end"],
    ],
    interruptedCode,
  );
  addReading(program.commandsGroup("Specs:"));
  addModels(program.commandsGroup("Models:"));
  addRuns(program.commandsGroup("Runs:"));
  addHelpful(program.commandsGroup("Help:"));
  return program;
}

/** Commands that write and read specs as text. */
function addReading(program: Command): void {
  addText(
    command(program, "init", "Write a small project that checks and trains at once.")
      .argument("[dir]", "folder of the project", ".")
      .option("--force", "replace files that are already there; a package.json stays as it is")
      .addOption(
        new Option("--ci <service>", "also write the workflow that checks the specs of each push").choices(["github"]),
      )
      .action(async (dir: string, options) => (await import("./commands/init.js")).init(dir, options)),
    [
      ["mae init first", "then: cd first, mae train model.mae"],
      ["mae init . --ci github", "also .github/workflows/specs.yml: see docs/ci.md"],
    ],
  );
  const chosen: ReporterChoice[] = [];
  addText(
    command(program, "check", "Check specs: names, types, units, ranges, shapes, and that the blocks fit each other.")
      .argument("[paths...]", "files, folders or globs; - reads stdin (default: every .mae file below here)")
      .addOption(
        new Option("--reporter <name>", `${reporterNames.join(", ")}; may be repeated`).argParser((name) =>
          chooseReporter(chosen, name),
        ),
      )
      .addOption(
        new Option("--reporter-file <file>", "where the reporter named before it writes, instead of stdout").argParser(
          (file) => chooseFile(chosen, file),
        ),
      )
      .addOption(new Option("--json", "the same as --reporter json"))
      .option("--fix", "apply the fixes that are safe, then report what is left")
      .option("--error-on-warnings", "let warnings fail the check")
      .option("--data", "also look at the data of recipes: is a batch larger than it, does a probe have test images")
      .option("--against <revision>", "also say which models' checkpoints from a git revision no longer load")
      .option("--changed", "check only what has changed since then, or since the last commit, and what imports it")
      .option("--max-diagnostics <n>", "write at most this many findings", wholeNumber(0))
      .option("--stdin-path <path>", "the name that text from stdin goes by, for imports and messages")
      .option(...configOption)
      .action(async (paths: string[], options) => {
        const { check } = await import("./commands/check.js");
        const reporters = options.json ? [...chosen, { name: "json", file: null } as const] : chosen;
        await check(paths, { ...options, reporters });
      }),
    [
      ["mae check", "every .mae file below this folder"],
      ["mae check models examples/mae-base.mae", "a folder and a file"],
      ["mae check --fix", "repair what can be repaired safely"],
      ["mae check --changed --against origin/main", "what a pull request changes, and whether checkpoints still load"],
      ["mae check --reporter github --reporter sarif --reporter-file mae.sarif", "in CI: see docs/ci.md"],
    ],
  );
  addText(
    command(program, "fmt", "Format specs. There is one format and no options about it.")
      .argument("[paths...]", "files, folders or globs; - reads stdin")
      .addOption(new Option("--check", "list the files that are not formatted, and fail if there are any"))
      .addOption(new Option("--write", "rewrite the files in place").conflicts("check"))
      .option("--stdin-path <path>", "the name that text from stdin goes by in messages")
      .action(async (paths: string[], options) => (await import("./commands/fmt.js")).fmt(paths, options)),
    [
      ["mae fmt --write", "format every .mae file below this folder"],
      ["mae fmt --check models", "in CI or a commit hook"],
      ["mae fmt model.mae", "print the formatted text"],
      ["cat model.mae | mae fmt -", "the same, from stdin"],
    ],
  );
  addText(
    command(
      program,
      "lsp",
      "Serve an editor: findings, fixes, completion, hover, renames, hints and formatting, on stdin and stdout.",
    )
      .option(...configOption)
      .option("--no-config", "run no block file, whatever a mae.config.json names")
      // What editors say of their own accord.
      .addOption(new Option("--stdio", "speak on stdin and stdout, as it does anyway").hideHelp())
      .addOption(new Option("--clientProcessId <id>", "the editor's process").hideHelp())
      .action(async (options) => (await import("./commands/lsp.js")).lsp(options)),
    [["mae lsp", "what an editor starts: see docs/editors.md"]],
  );
}

/** Commands about one model of a file. */
function addModels(program: Command): void {
  const ofModel = (name: string, description: string, names: string) =>
    command(program, name, description)
      .addArgument(specArgument())
      .argument("[name]", `${names}; not needed where there is one`);
  addText(
    ofModel(
      "plan",
      "Say what a model costs before it runs: tokens, parameters, FLOPs (a multiply-add is 2), memory, learning rate, steps.",
      "a model, a recipe, a pipeline or Family.member",
    )
      .option("--json", "print one JSON document")
      .option("--batch <n>", "plan for this many samples in a step", wholeNumber(1, mostSamples))
      .option(
        "--samples <n>",
        "samples in the data, for the number of steps; of several recipes one for all, or one for each joined by commas (default: counted, where the data is here)",
        wholeNumbers(1),
      )
      .addOption(memoryOption())
      .option(...microBatchOption)
      .option(...recomputeOption)
      .addOption(
        new Option("--backend <name>", "what is to train it, of those whose memory is known")
          .choices(measuredBackends)
          .default("onnx"),
      )
      .addOption(plannedDevicesOption())
      .option("--shard-state", "let each of several devices hold its share of weights and moments")
      .addOption(
        new Option("--graph [pass]", "print the graphs of a training step: the passes, or the graph after one of them"),
      )
      .option(...configOption)
      .action(async (file: string, name: string | undefined, options) => {
        await (await import("./commands/plan.js")).plan(file, name, options);
      }),
    [
      ["mae plan examples/mae-base.mae", "the only model of the file"],
      ["mae plan study.mae Pretrain --batch 512 --json", "a recipe and its model, for a script"],
      ["mae plan study.mae Pretrain --memory 16GiB", "for a machine with so much memory"],
      ["mae plan model.mae --graph", "what each pass makes of a step"],
    ],
  );
  addText(
    ofModel(
      "render",
      "Print a model or recipe with everything inherited and every default written out.",
      "a model, a recipe, a pipeline or Family.member",
    )
      .option("--origin", "say beside each value where it comes from")
      .option(...configOption)
      .action(async (file: string, name: string | undefined, options) => {
        await (await import("./commands/render.js")).render(file, name, options);
      }),
    [
      ["mae render model.mae", "the only model of the file, and its recipe"],
      ["mae render model.mae UMaeBase --origin", "file and line beside each value"],
    ],
  );
  addText(
    command(program, "build", "Write models as typed TypeScript modules.")
      .addArgument(specArgument())
      .argument("[name]", "a model, a recipe, a family or Family.member; without one, all of the file")
      .option("--out <dir>", "folder of the modules", "build")
      .option("--check", "write nothing; fail if the modules there are not up to date")
      .option(...configOption)
      .action(async (file: string, name: string | undefined, options) => {
        await (await import("./commands/build.js")).build(file, name, options);
      }),
    [
      ["mae build model.mae", "each model of the file, into build/"],
      ["mae build model.mae MaeBase --out src/models", "one model, into a project"],
      ["mae build study.mae MaskStudy", "a family, into build/mask-study/"],
    ],
  );
  addText(
    command(program, "variants", "List the members of a family: names, parameters, tokens, FLOPs, what differs.")
      .addArgument(specArgument())
      .argument("[family]", "a family in it; without one, all of them")
      .option("--json", "print one JSON document")
      .option(...configOption)
      .action(async (file: string, family: string | undefined, options) => {
        await (await import("./commands/variants.js")).variants(file, family, options);
      }),
    [
      ["mae variants examples/mask-study.mae", "every family of the file"],
      ["mae variants study.mae MaskStudy --json", "one of them, for a script"],
    ],
  );
  addText(
    command(
      program,
      "diff",
      "Compare two models: what a reader would call different, and whether checkpoints still load.",
    )
      .argument("<a>", "a model as FILE or FILE:NAME, the folder of a run, or a checkpoint")
      .argument("<b>", "the same")
      .option("--json", "print one JSON document")
      .option("--exit-code", "exit with 1 where a checkpoint of A is of no use in B")
      .option(...configOption)
      .action(async (a: string, b: string, options) => {
        await (await import("./commands/diff.js")).diff(a, b, options);
      }),
    [
      ["mae diff old.mae new.mae", "the only model of each"],
      ["mae diff study.mae:MaeBase study.mae:UMaeBase", "two models of a file"],
      ["mae diff runs/digits digits.mae --exit-code", "in CI: does the trained checkpoint still load?"],
    ],
  );
}

/** Commands that run models. */
function addRuns(program: Command): void {
  addDataCommands(program);
  addText(
    onHosts(
      onBackend(
        command(
          program,
          "train",
          "Train a model by a recipe of the file, or the stages of a pipeline. Ctrl-C saves; --resume goes on.",
        )
          .addArgument(specArgument())
          .argument("[name]", "a recipe or a pipeline in it; not needed where there is one recipe")
          .option(
            "--out <dir>",
            "folder of the run (default: runs/<name of the file>), or of the runs of a family or pipeline (runs/<its name>)",
          )
          .option(
            "--variant <name>",
            "train a member, all of a family, or all; what is finished is left, the rest goes on",
          )
          .option("--resume", "go on from the newest checkpoint of the run")
          .option("--force", "replace a run that is already in the folder")
          .option("--steps <n>", "train this many steps, whatever the recipe says", wholeNumber(1, mostSamples))
          .addOption(new Option("--epochs <n>", "train this many epochs").argParser(wholeNumber(1)).conflicts("steps"))
          .option("--batch <n>", "samples of one step", wholeNumber(1, mostSamples))
          .option("--seed <n>", "seed of weights, masks, crops and order", wholeNumber(0))
          .addOption(checkpointOption())
          .addOption(
            new Option(
              "--pictures-every <interval>",
              "also draw reconstructions in the middle, for mae watch: as --checkpoint-every",
            ).argParser(checkpointInterval),
          )
          .addOption(
            new Option(
              "--log <where>",
              "also log event files that TensorBoard reads, or by the Python client of W&B or MLflow, where it is installed",
            ).choices(["tensorboard", "wandb", "mlflow"]),
          )
          .option("--gradient-norm", "also log the norm of all gradients where the recipe does not clip them")
          .option(
            "--debug-nan",
            "look at all weights after each step, to find at once the operation that breaks numbers",
          )
          .option("--json", "print the run's events as JSON lines on stdout"),
      )
        .option(...microBatchOption)
        .addOption(memoryOption())
        .option(...recomputeOption)
        .option("--no-recompute", "keep what layers have computed (default)")
        .option(
          "--workers <n>",
          "threads that decode and augment images (default: by the machine)",
          wholeNumber(0, mostThreads),
        ),
    ).action(async (file: string, recipe: string | undefined, options) => {
      if (options.variant === undefined) {
        await (await import("./commands/train-pipeline.js")).trainNamed(file, recipe, options);
      } else await (await import("./commands/train-variants.js")).trainVariants(file, recipe, options);
    }),
    [
      ["mae train examples/digits.mae", "into runs/digits, on the best backend here"],
      ["mae train model.mae Pretrain --out runs/a --steps 100", "a short try"],
      ["mae train model.mae Pretrain --out runs/a --resume", "go on where it stopped"],
      ["mae train examples/mask-study.mae --variant all", "every member of the family, and a report"],
      ["mae train stages.mae Study", "the stages of a pipeline"],
      ["mae train model.mae --hosts 2 --host 1 --meet 10.0.0.1:29500", "the second of two hosts"],
    ],
    interruptedCode,
  );
  addTrained(program);
}

/** Commands for finding one's way. */
function addHelpful(program: Command): void {
  addText(
    command(program, "explain", "Explain the code of a finding, or a block.")
      .argument("[code]", "as a finding shows it, or kind/block; without one, list all of them")
      .option(...configOption)
      .action(async (code: string | undefined, options) =>
        (await import("./commands/explain.js")).explain(code, options),
      ),
    [
      ["mae explain check/unknown-block", "what it means and how to mend it"],
      ["mae explain mask/random", "a block and its parameters; also: mae explain random"],
      ["mae explain", "every code and block there is"],
    ],
  );
  addText(
    command(
      program,
      "plugin",
      "Fetch the libraries by which the backend xla reaches processors and accelerators, from the Python Package Index, checked by checksums. Nothing of them is run until that backend is asked for.",
    )
      .addArgument(
        new Argument("[action]", "say which there are, or fetch one").choices(["list", "add"]).default("list"),
      )
      .argument("[name]", "of `add`: one that the list names")
      .option("--json", "print one JSON document")
      .action(async (action: "list" | "add", name: string | undefined, options) =>
        (await import("./commands/plugin.js")).plugin(action, name, options),
      ),
    [
      ["mae plugin", "which there are, and which is used"],
      ["mae plugin add cpu", "the one for processors, 60 MiB"],
    ],
  );
  addText(
    command(program, "doctor", "Say which backends are here, why the others are not, and what to do.")
      .option("--json", "print one JSON document")
      .action(async (options) => (await import("./commands/doctor.js")).doctor(options)),
    [["mae doctor", ""]],
  );
  addText(
    command(program, "completion", "Print a script that completes commands and options in a shell.")
      .addArgument(new Argument("<shell>", "your shell").choices(["bash", "zsh", "fish"]))
      .action(async (shell, _options) => (await import("./commands/completion.js")).completion(shell, program)),
    [
      ['eval "$(mae completion bash)"', "in ~/.bashrc"],
      ['eval "$(mae completion zsh)"', "in ~/.zshrc, after compinit"],
      ["mae completion fish | source", "in config.fish"],
    ],
  );
  program.addHelpCommand(
    new Command("help")
      .argument("[command]")
      .description("Show help, of mae or of a command")
      .helpOption(false)
      .helpGroup("Help:"),
  );
}
