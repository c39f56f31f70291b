// What an asset's power means: the API's signs are those of its type.
import type { Schemas } from "../../api/client";
import { t } from "../../i18n/t.svelte";
import { kilowatts } from "../../lib/format";

type Asset = Schemas["AssetView"];

/** What an asset takes or gives now, in words. */
export function powerText(asset: Asset): string {
  const power = asset.latest_reading?.power;
  if (power == null) return t("assets.no_reading");
  const gives = asset.type === "producer" || asset.type === "battery" ? power >= 0 : power < 0;
  return t(gives ? "assets.gives" : "assets.takes", { power: kilowatts(Math.abs(power)) });
}
