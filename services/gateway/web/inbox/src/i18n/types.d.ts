// The names of texts are types: a text that is not in English is an error of the compiler.

import "i18next";
import type app from "../../locales/en/app.json";
import type console from "../../locales/en/console.json";
import type inbox from "../../locales/en/inbox.json";
import type reports from "../../locales/en/reports.json";
import type wall from "../../locales/en/wall.json";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "app";
    resources: {
      app: typeof app;
      console: typeof console;
      inbox: typeof inbox;
      reports: typeof reports;
      wall: typeof wall;
    };
  }
}
