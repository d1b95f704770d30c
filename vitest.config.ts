import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files of minutes, the longest first: one that begins last would leave the other core idle. They are short as texts. */
const long = ["browser/software-devices", "examples/agreement", "examples/methods", "cli/train", "package/installed"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = long.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at === -1 ? long.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/fuzz.ts", "test/support/leftovers.ts"],
    // Most of a short test file's time went into loading our modules; so they are loaded once for all files of a worker.
    isolate: false,
    env: {
      // Tests that load onnxruntime themselves send its makers nothing either.
      ORT_DISABLE_TELEMETRY: "1",
      // Most of a small program's time on xla is compiling: LLVM takes half of it to make fast what runs for a moment.
      XLA_FLAGS: process.env.XLA_FLAGS ?? "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
    },
    // Two cores: more workers than that only take turns.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // Against tests that hang, not tests that are slow: a busy machine may take ten times as long as a quiet one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
