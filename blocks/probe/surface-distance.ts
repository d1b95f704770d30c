/** How far the surfaces of the classes that a head says of places lie from those that are there. */

import { flag } from "../params.js";
import { definePlaceProbe, saysPlaces } from "./contract.js";
import { meanOf } from "./overlaps.js";
import { slidingFits, slidingParams, slidingWords } from "./sliding.js";

export const surfaceDistance = definePlaceProbe({
  name: "surface_distance",
  summary:
    "The 95th percentile of the Hausdorff distance between the surfaces of what a head says and of what is there.",
  source: "Huttenlocher et al., Comparing Images Using the Hausdorff Distance, PAMI 1993",
  since: "0.2",
  params: { background: flag({ default: false, doc: "Whether class 0 counts too." }), ...slidingParams },
  requires: [saysPlaces, ...slidingFits],
  scale: "number",
  measures: "surfaces",
  async judgePlaces({ background, ...others }, samples, { classes }) {
    const first = background ? 0 : 1;
    const ofClass = (k: number): readonly number[] => samples.map(({ surfaces = [] }) => surfaces[k] ?? Number.NaN);
    const kinds = Array.from({ length: Math.max(0, classes - first) }, (_, i) => first + i);
    const missed = samples.reduce(
      (sum, { overlaps: { said, there } }) =>
        sum + kinds.filter((k) => (said[k] as number) > 0 !== (there[k] as number) > 0).length,
      0,
    );
    const each = samples.map(({ surfaces = [] }) => meanOf(surfaces.slice(first)));
    const means = kinds.map((k) => ({ class: k, hd95: meanOf(ofClass(k)) }));
    return {
      scores: { hd95: meanOf(each), missed },
      protocol:
        `the larger of both directions' 95th percentiles of distances between surfaces, in places of what is judged; its mean over the classes${background ? "" : " but 0"} that are ` +
        `both said and there, then over ${samples.length} test samples; missed: classes of a sample that are only said or only there, which have no distance${slidingWords(others)}`,
      details: { per_class: means.map((one) => ({ ...one, hd95: Number.isNaN(one.hd95) ? null : one.hd95 })) },
    };
  },
});
