// Dialogs of the frame: loaded when they are first asked for.

import "./more_styles.ts";
import type { Ringer } from "../offers/sound.ts";
import { Settings } from "../settings/settings.tsx";
import { KeyboardOverview } from "./keyboard.tsx";

export type DialogName = "settings" | "keyboard";

interface DialogsProps {
  shown: DialogName | null;
  ringer: Ringer;
  onClose: () => void;
}

/** At most one of them is shown. */
export default function Dialogs({ shown, ringer, onClose }: DialogsProps) {
  return (
    <>
      <Settings ringer={ringer} isOpen={shown === "settings"} onClose={onClose} />
      <KeyboardOverview isOpen={shown === "keyboard"} onClose={onClose} />
    </>
  );
}
