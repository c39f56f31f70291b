// The driver's page: /e/<code>, what the QR code opens, and /map. No key; a login shows and starts more.
import "../ui/base.css";
import "../ui/parts.css";

import { mount } from "svelte";

import { speakFirst } from "../i18n/t.svelte";
import { follow } from "../lib/route.svelte";
import { readConfig } from "../lib/session.svelte";
import { setFirstTheme } from "../lib/theme.svelte";
import { begin } from "./account.svelte";
import App from "./App.svelte";

setFirstTheme();
follow(/^\/(map|e)(\/|$)/);
await Promise.all([speakFirst(), readConfig().catch(() => undefined), begin()]);
const target = document.getElementById("app") as HTMLElement;
target.replaceChildren();
mount(App, { target });
