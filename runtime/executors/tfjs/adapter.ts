/** What a WebGPU adapter says of itself, and whether it is real hardware. Used here and by the probe, loads nothing. */

export interface AdapterWords {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

/** "NVIDIA H200 (nvidia hopper)", from whatever the driver gives. */
export function describeAdapter({ vendor, architecture, device, description }: AdapterWords): string {
  const maker = [vendor, architecture].filter(Boolean).join(" ");
  const name = description || device;
  if (name === "") return maker || "unnamed WebGPU adapter";
  return maker === "" ? name : `${name} (${maker})`;
}

/** Rasterizers that run on the processor: right, and far slower than the wasm backend. */
export const isSoftware = (adapter: AdapterWords): boolean =>
  adapter.isFallbackAdapter === true ||
  /swiftshader|llvmpipe|lavapipe|basic render/i.test(
    `${adapter.architecture} ${adapter.device} ${adapter.description}`,
  );
