import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/fuzz.ts"],
    // Tests that load onnxruntime themselves send its makers nothing either.
    env: { ORT_DISABLE_TELEMETRY: "1" },
    // Two cores: more workers than that only take turns.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
