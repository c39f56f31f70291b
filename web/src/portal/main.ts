// The home user's portal: language and theme first, then the login that a cookie keeps, then the page.
import "../ui/base.css";
import "../ui/parts.css";

import { mount } from "svelte";

import { speakFirst } from "../i18n/t.svelte";
import { follow } from "../lib/route.svelte";
import { setFirstTheme } from "../lib/theme.svelte";
import { resume } from "./login.svelte";
import App from "./App.svelte";

setFirstTheme();
follow(/^\/portal(\/|$)/);
await Promise.all([speakFirst(), resume()]);
const target = document.getElementById("app") as HTMLElement;
target.replaceChildren();
mount(App, { target });
