import "./embed/embed.ts";
