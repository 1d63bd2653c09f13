export type ThemeChoice = "auto" | "light" | "dark";
const KEY = "millrace.theme";
const CHOICES: readonly ThemeChoice[] = ["auto", "light", "dark"];

/** Light, dark or as the device says; kept on this device. */
export class Theme {
  choice: ThemeChoice = $state("auto");

  constructor() {
    const saved = readSaved();
    this.set(CHOICES.find((choice) => choice === saved) ?? "auto");
  }

  set(choice: ThemeChoice): void {
    this.choice = choice;
    document.documentElement.dataset.theme = choice;
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // A browser that refuses storage forgets the choice at the next visit; nothing else depends on it.
    }
  }
}

function readSaved(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
