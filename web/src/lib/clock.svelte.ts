// The time as state, so that "3 minutes ago" stays true.
export const now = $state({ ms: Date.now() });

setInterval(() => {
  if (!document.hidden) now.ms = Date.now();
}, 5_000);
