// An agent's picture, or initials where there is none or the website's policy does not let it load.

import { useState } from "preact/hooks";

export function Avatar({ name, url }: { name: string; url: string | null }) {
  const [hasFailed, setFailed] = useState(false);
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("");
  return (
    <span class="avatar" aria-hidden="true">
      {url && !hasFailed ? <img src={url} alt="" onError={() => setFailed(true)} /> : initials}
    </span>
  );
}
