// A rule's conditions as a sentence.

import { Text } from "@mantine/core";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { type Comparison, type Condition, NAMED_ATTRIBUTES, phrases, takesValue } from "./conditions.ts";
import { word } from "./words.ts";

/** The name of an attribute, for people. */
export function attributeName(t: TFunction<"console">, attribute: string): string {
  const prefix = NAMED_ATTRIBUTES.find((each) => attribute.startsWith(each));
  if (prefix === "answers.") return t("attribute.answer", { name: attribute.slice(prefix.length) });
  if (prefix) return t("attribute.custom", { name: attribute.slice(prefix.length) });
  return word(t, `attribute.${attribute.replaceAll(".", "_")}`);
}

export function ConditionWords({ condition }: { condition: Condition }) {
  const { t } = useTranslation("console");
  return (
    <Text size="sm" c="dimmed" component="span">
      {phrases(condition)
        .map((phrase) =>
          phrase.is === "comparison" ? comparisonWords(t, phrase.comparison) : t(`phrase.${phrase.is}`),
        )
        .join(" ")
        .replaceAll("( ", "(")
        .replaceAll(" )", ")")}
    </Text>
  );
}

function comparisonWords(t: TFunction<"console">, { attribute, operator, value }: Comparison): string {
  const words = `${attributeName(t, attribute)} ${t(`operator.${operator}`)}`;
  if (!takesValue(operator)) return words;
  const values = (Array.isArray(value) ? value : [value]).map((each) => `“${String(each ?? "")}”`);
  return `${words} ${values.join(", ")}`;
}
