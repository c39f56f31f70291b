// All English texts.
import { charging } from "./charging";
import { events } from "./events";
import { fieldsFromN } from "./fieldsFromN";
import { fieldsToM } from "./fieldsToM";
import { help } from "./help";
import { load } from "./load";
import { market } from "./market";
import { portal } from "./portal";
import { problems } from "./problems";
import { reasons } from "./reasons";
import { sentences } from "./sentences";
import { shell } from "./shell";
import { stations } from "./stations";
import { words } from "./words";

export const en = {
  ...charging,
  ...events,
  ...fieldsFromN,
  ...fieldsToM,
  ...help,
  ...load,
  ...market,
  ...portal,
  ...problems,
  ...reasons,
  ...sentences,
  ...shell,
  ...stations,
  ...words,
};
