/**
 * TensorFlow.js's WebGPU backend with two things more: tensors that are parts of one buffer, and shaders of our own among
 * its recordings, with several outputs and their sizes in their text, where its own have one output and a buffer of
 * uniforms for each call. Which shaders there are is left to `webgpu-fused.ts` and `webgpu-flat.ts`.
 */

import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../../../graph/index.js";

const float = Float32Array.BYTES_PER_ELEMENT;

/** Where a tensor lies that is a part of another. */
interface Part {
  readonly whole: tf.DataId;
  /** In elements. */
  readonly begin: number;
}

/** One shader: WGSL over the names of its inputs, outputs and constants. */
export interface Shader {
  /** For profiles. Tells its text from others, together with the key, sizes and numbers. */
  readonly name: string;
  /** If absent, the name says enough. */
  readonly key?: string;
  /** What it reads: float32 tensors as `array<f32>`, int32 ones as `array<i32>`. */
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  /** Shapes of the float32 tensors that it makes. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  /** float32 tensors that it changes. */
  readonly changed?: Readonly<Record<string, tf.TensorInfo>>;
  readonly sizes: Readonly<Record<string, number>>;
  readonly numbers?: Readonly<Record<string, number>>;
  /** Declarations that stand before `main`: functions, memory of a workgroup. */
  readonly declarations?: string;
  /** The body of `main`, which knows `group` and `lane`. */
  readonly code: string;
  /** Threads of a workgroup. */
  readonly lanes: number;
  /** Workgroups. */
  readonly groups: number;
}

/** WebGPU's limit of workgroups along one axis. */
const mostGroups = 65535;

const elements = (dtype: tf.DataType): string => (dtype === "float32" ? "f32" : "i32");

function textOf({ inputs, outputs, changed = {}, sizes, numbers = {}, lanes, groups, ...shader }: Shader): string {
  const buffers = [
    ...Object.entries(inputs).map(([name, { dtype }]) => `var<storage, read> ${name} : array<${elements(dtype)}>`),
    ...Object.keys({ ...outputs, ...changed }).map((name) => `var<storage, read_write> ${name} : array<f32>`),
  ];
  return `
${Object.entries(sizes)
  .map(([name, size]) => `const ${name} = ${size}u;\n`)
  .join("")}
${Object.entries(numbers)
  .map(([name, value]) => `const ${name} : f32 = ${Math.fround(value)};\n`)
  .join("")}
${buffers.map((buffer, i) => `@group(0) @binding(${i}) ${buffer};\n`).join("")}
${shader.declarations ?? ""}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) at : vec3u, @builtin(local_invocation_index) lane : u32) {
  let group = at.x + at.y * ${mostGroups}u;
  if (group >= ${groups}u) { return; }
  ${shader.code}
}`;
}

/** What TensorFlow.js keeps to itself and a recording needs (4.22). */
interface Recording {
  commandEncoder: GPUCommandEncoder;
  computePassEncoder: GPUComputePassEncoder | null;
  /** What commands use that were not submitted yet. */
  commandQueueOwnedIds: WeakSet<tf.DataId>;
  dispatchCountInPass: number;
}

export class PartsBackend extends WebGPUBackend {
  private readonly parts = new WeakMap<tf.DataId, Part>();
  private readonly pipelines = new Map<string, GPUComputePipeline>();

  /** A tensor of `shape` without values. */
  make(shape: readonly number[]): tf.Tensor {
    const info = this.makeTensorInfo([...shape], "float32");
    this.uploadToGPU(info.dataId);
    return tf.engine().makeTensorFromTensorInfo(info);
  }

  /** Whether a part may begin at this element. */
  beginsAt(begin: number): boolean {
    return (begin * float) % this.device.limits.minStorageBufferOffsetAlignment === 0;
  }

  /** The elements of `whole` from `begin` on, as a tensor of `shape`; no copy. `whole` may be a part itself. */
  part(whole: tf.TensorInfo, begin: number, shape: readonly number[]): tf.Tensor {
    this.uploadToGPU(whole.dataId);
    const outer = this.parts.get(whole.dataId) ?? { whole: whole.dataId, begin: 0 };
    const info = this.makeTensorInfo([...shape], whole.dtype);
    const part = { whole: outer.whole, begin: outer.begin + begin };
    const resource: GPUBufferBinding = {
      buffer: this.tensorMap.get(part.whole).resource as GPUBuffer,
      offset: part.begin * float,
      size: sizeOf(shape) * float,
    };
    // TensorFlow.js binds what is not a buffer as it is, which it does for textures from outside.
    Object.assign(this.tensorMap.get(info.dataId), { resource, external: true });
    this.incRef(part.whole);
    this.parts.set(info.dataId, part);
    return tf.engine().makeTensorFromTensorInfo(info);
  }

  /** Where a tensor lies that is a part; undefined for others. */
  partOf({ dataId }: tf.TensorInfo): Part | undefined {
    return this.parts.get(dataId);
  }

  /** Copies a tensor into another, from `begin` on. */
  copy(from: tf.TensorInfo, to: tf.TensorInfo, begin: number): void {
    const [source, target] = [this.bindingOf(from.dataId), this.bindingOf(to.dataId)];
    const recording = this.recording();
    this.endComputePassEncoder();
    const start = (target.offset ?? 0) + begin * float;
    recording.commandEncoder.copyBufferToBuffer(
      source.buffer,
      source.offset ?? 0,
      target.buffer,
      start,
      sizeOf(from.shape) * float,
    );
    for (const { dataId } of [from, to]) recording.commandQueueOwnedIds.add(dataId);
  }

  /** Records a shader. */
  run(shader: Shader): tf.Tensor[] {
    const outputs = Object.values(shader.outputs).map((shape) => this.make(shape));
    const used = [...Object.values(shader.inputs), ...outputs, ...Object.values(shader.changed ?? {})];
    const pipeline = this.pipelineOf(shader);
    const entries = used.map(({ dataId }, binding) => ({ binding, resource: this.bindingOf(dataId) }));
    const bindGroup = this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const recording = this.recording();
    recording.computePassEncoder ??= recording.commandEncoder.beginComputePass();
    recording.computePassEncoder.setPipeline(pipeline);
    recording.computePassEncoder.setBindGroup(0, bindGroup);
    const { groups } = shader;
    recording.computePassEncoder.dispatchWorkgroups(Math.min(groups, mostGroups), Math.ceil(groups / mostGroups));
    for (const { dataId } of used) recording.commandQueueOwnedIds.add(dataId);
    recording.dispatchCountInPass++;
    if (recording.dispatchCountInPass >= tf.env().getNumber("WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE")) {
      this.endComputePassEncoder();
      this.submitQueue();
    }
    return outputs;
  }

  /** A part is read through a copy of its own, which TensorFlow.js knows how to read. */
  override async read(dataId: tf.DataId): ReturnType<WebGPUBackend["read"]> {
    if (!this.parts.has(dataId)) return super.read(dataId);
    const { shape, dtype } = this.tensorMap.get(dataId);
    const info = this.makeTensorInfo(shape, dtype);
    const { buffer, offset, size } = this.bindingOf(dataId);
    const { buffer: own } = this.bindingOf(info.dataId);
    const recording = this.recording();
    this.endComputePassEncoder();
    recording.commandEncoder.copyBufferToBuffer(buffer, offset ?? 0, own, 0, size ?? 0);
    try {
      return await super.read(info.dataId);
    } finally {
      this.disposeData(info.dataId);
    }
  }

  /** The last part of a buffer takes the buffer with it. */
  override disposeData(dataId: tf.DataId, force?: boolean): boolean {
    const part = this.tensorMap.has(dataId) ? this.parts.get(dataId) : undefined;
    const gone = super.disposeData(dataId, force);
    if (part && gone) {
      this.parts.delete(dataId);
      this.disposeData(part.whole);
    }
    return gone;
  }

  private recording(): Recording {
    this.ensureCommandEncoderReady();
    return this as unknown as Recording;
  }

  private bindingOf(dataId: tf.DataId): GPUBufferBinding {
    this.uploadToGPU(dataId);
    const { resource } = this.tensorMap.get(dataId);
    return this.parts.has(dataId) ? (resource as unknown as GPUBufferBinding) : { buffer: resource as GPUBuffer };
  }

  private pipelineOf(shader: Shader): GPUComputePipeline {
    const { name, key: own, sizes, numbers = {}, groups } = shader;
    const key = [name, own, ...Object.values(sizes), ...Object.values(numbers), groups].join(" ");
    const known = this.pipelines.get(key);
    if (known) return known;
    const module = this.device.createShaderModule({ label: name, code: textOf(shader) });
    const compute = { module, entryPoint: "main" };
    const made = this.device.createComputePipeline({ label: name, layout: "auto", compute });
    this.pipelines.set(key, made);
    return made;
  }
}
