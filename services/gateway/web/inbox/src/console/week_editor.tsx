// A week's blocks, day by day, with a bar that shows the day as it comes out.

import { ActionIcon, Badge, Button, Group, Menu, Stack, Text, TextInput } from "@mantine/core";
import { IconCopy, IconMoon, IconPlus, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import classes from "./console.module.css";
import {
  copied,
  hoursOf,
  isOverMidnight,
  MINUTES_A_DAY,
  spansOfDay,
  WEEKDAYS,
  type Week,
  type Weekday,
  withBlock,
  withoutBlock,
  withTimes,
  wrong,
} from "./schedule.ts";

interface WeekEditorProps {
  week: Week;
  nextKey(): number;
  onChange(week: Week): void;
}

export function WeekEditor({ week, nextKey, onChange }: WeekEditorProps) {
  const { t } = useTranslation("console");
  const problems = wrong(week);
  return (
    <div>
      {WEEKDAYS.map((day) => (
        <fieldset key={day} className={classes.day}>
          <legend className={classes.legend}>{t(`weekday.${day}`)}</legend>
          <Text fw={500} size="sm" aria-hidden>
            {t(`weekday.${day}`)}
          </Text>
          <Stack gap="xs">
            <DayBar week={week} day={day} />
            {week[day].length === 0 ? (
              <Text size="sm" c="dimmed">
                {t("week.off")}
              </Text>
            ) : (
              <div className={classes.blocks}>
                {week[day].map(({ key, from, to }, index) => {
                  const number = index + 1;
                  const problem = problems.get(key);
                  return (
                    <div key={key}>
                      <div className={classes.block}>
                        <TextInput
                          type="time"
                          size="sm"
                          value={from}
                          error={problem === "time"}
                          aria-label={t("week.from", { day: t(`weekday.${day}`), number })}
                          onChange={(event) =>
                            onChange(withTimes(week, key, { from: event.currentTarget.value }))
                          }
                        />
                        <Text size="sm" mt={6} aria-hidden>
                          –
                        </Text>
                        <TextInput
                          type="time"
                          size="sm"
                          value={to}
                          error={problem === "time"}
                          aria-label={t("week.to", { day: t(`weekday.${day}`), number })}
                          onChange={(event) =>
                            onChange(withTimes(week, key, { to: event.currentTarget.value }))
                          }
                        />
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          size="lg"
                          aria-label={t("week.remove", { day: t(`weekday.${day}`), number })}
                          onClick={() => onChange(withoutBlock(week, key))}
                        >
                          <IconTrash size={16} />
                        </ActionIcon>
                      </div>
                      {isOverMidnight({ from, to }) ? (
                        <Badge variant="default" leftSection={<IconMoon size={12} aria-hidden />}>
                          {t("week.next_day")}
                        </Badge>
                      ) : null}
                      {problem === "overlap" ? (
                        <Text size="xs" className="problem-text">
                          {t("week.overlap")}
                        </Text>
                      ) : null}
                    </div>
                  );
                })}
              </div>
            )}
            <Group gap="xs">
              <Button
                size="xs"
                variant="subtle"
                leftSection={<IconPlus size={14} aria-hidden />}
                aria-label={t("week.add_to", { day: t(`weekday.${day}`) })}
                onClick={() => onChange(withBlock(week, day, nextKey))}
              >
                {t("week.add")}
              </Button>
              <CopyMenu day={day} onCopy={(onto) => onChange(copied(week, day, onto, nextKey))} />
            </Group>
          </Stack>
        </fieldset>
      ))}
      <Text size="sm" mt="sm" role="status">
        {t("week.hours", { hours: Math.round(hoursOf(week) * 10) / 10 })}
      </Text>
    </div>
  );
}

function CopyMenu({ day, onCopy }: { day: Weekday; onCopy(onto: readonly Weekday[]): void }) {
  const { t } = useTranslation("console");
  return (
    <Menu position="bottom-start" withinPortal>
      <Menu.Target>
        <Button
          size="xs"
          variant="subtle"
          color="gray"
          leftSection={<IconCopy size={14} aria-hidden />}
          aria-label={t("week.copy_of", { day: t(`weekday.${day}`) })}
        >
          {t("week.copy")}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onCopy(WEEKDAYS.slice(0, 5))}>{t("week.copy_workdays")}</Menu.Item>
        <Menu.Item onClick={() => onCopy(WEEKDAYS)}>{t("week.copy_all")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** The hours of a day, as a picture; the words are beside it. */
function DayBar({ week, day }: { week: Week; day: Weekday }) {
  return (
    <div className={classes.dayBar} aria-hidden>
      {spansOfDay(week, day).map(({ start, end }) => (
        <span
          key={start}
          style={{
            insetInlineStart: `${(start / MINUTES_A_DAY) * 100}%`,
            inlineSize: `${((end - start) / MINUTES_A_DAY) * 100}%`,
          }}
        />
      ))}
    </div>
  );
}
