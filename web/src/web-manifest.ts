import type { ManifestOptions } from "vite-plugin-pwa";

/** The web app manifest: what a phone or tablet needs to install Millrace as an app. */
export const webManifest: Partial<ManifestOptions> = {
  id: "/",
  name: "Millrace",
  short_name: "Millrace",
  description: "Live values of your plant, with their quality and age.",
  start_url: "/",
  scope: "/",
  display: "standalone",
  orientation: "any",
  theme_color: "#1E2226",
  background_color: "#1E2226",
  icons: [
    { src: "/icon-192.png", sizes: "192x192", type: "image/png", purpose: "any" },
    { src: "/icon-512.png", sizes: "512x512", type: "image/png", purpose: "any" },
    { src: "/icon-maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
  ],
};
