/** What transformers and timm have to know of a ConvNeXt, a Swin or a ResNet beside its weights. */

import type { StagedModel } from "../../blocks/index.js";

/** What the configuration of transformers says of its stages. */
export function stagedConfig({ stages, array }: StagedModel): Readonly<Record<string, unknown>> {
  const image = { image_size: array.axes.at(-1)?.size, num_channels: array.channels };
  switch (stages.family) {
    case "ConvNeXt":
      return {
        ...image,
        patch_size: stages.stem,
        num_stages: stages.depths.length,
        depths: stages.depths,
        hidden_sizes: stages.widths,
        hidden_act: "gelu",
        layer_norm_eps: stages.epsilon,
        ...(stages.version === 1 ? { layer_scale_init_value: stages.scale } : {}),
      };
    case "Swin":
      return {
        ...image,
        patch_size: stages.stem,
        embed_dim: stages.width,
        depths: stages.depths,
        num_heads: stages.heads,
        window_size: stages.window,
        mlp_ratio: stages.ratio,
        qkv_bias: true,
        use_absolute_embeddings: false,
        hidden_act: "gelu",
        layer_norm_eps: stages.epsilon,
        encoder_stride: stages.stem * 2 ** (stages.depths.length - 1),
      };
    case "ResNet":
      return {
        num_channels: array.channels,
        embedding_size: stages.width,
        depths: stages.depths,
        hidden_sizes: stages.depths.map((_, stage) => 4 * stages.width * 2 ** stage),
        layer_type: "bottleneck",
        hidden_act: "relu",
        downsample_in_first_stage: false,
        downsample_in_bottleneck: false,
      };
  }
}

/** A model of timm: its architecture and its parts. */
export interface TimmFacts {
  readonly architecture: string;
  readonly features: number;
  /** What differs from the architecture. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly firstConv: string;
  readonly classifier: string;
}

export function stagedTimm({ stages, array }: StagedModel): TimmFacts {
  const channels = { in_chans: array.channels };
  switch (stages.family) {
    case "ConvNeXt":
      return {
        architecture: stages.version === 1 ? "convnext_base" : "convnextv2_base",
        features: stages.widths.at(-1) ?? 0,
        args: { ...channels, depths: stages.depths, dims: stages.widths, patch_size: stages.stem },
        firstConv: "stem.0",
        classifier: "head.fc",
      };
    case "Swin":
      return {
        architecture: "swin_base_patch4_window7_224",
        features: stages.width * 2 ** (stages.depths.length - 1),
        args: {
          ...channels,
          img_size: array.axes.map(({ size }) => size),
          patch_size: stages.stem,
          window_size: stages.window,
          embed_dim: stages.width,
          depths: stages.depths,
          num_heads: stages.heads,
          mlp_ratio: stages.ratio,
        },
        firstConv: "patch_embed.proj",
        classifier: "head.fc",
      };
    case "ResNet":
      return {
        architecture: "resnet50",
        features: 4 * stages.width * 2 ** (stages.depths.length - 1),
        args: { ...channels, layers: stages.depths },
        firstConv: "conv1",
        classifier: "fc",
      };
  }
}
