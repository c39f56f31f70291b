// The operator's panel: language and theme first, then who is logged in, then the page.
import "../ui/base.css";
import "../ui/parts.css";

import { mount } from "svelte";

import { speakFirst } from "../i18n/t.svelte";
import { follow } from "../lib/route.svelte";
import { begin } from "../lib/session.svelte";
import { setFirstTheme } from "../lib/theme.svelte";
import App from "./App.svelte";
import { pageOf } from "./pages";

setFirstTheme();
follow(/^\/panel(\/|$)/);
// The page is fetched while the server is asked who this is.
void pageOf(location.pathname)?.load();
await Promise.all([speakFirst(), begin()]);
const target = document.getElementById("app") as HTMLElement;
target.replaceChildren();
mount(App, { target });
