import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";
import { webManifest } from "./src/web-manifest.ts";

// The hub sends `script-src 'self'; style-src 'self'`, so nothing may end up inline: no registration script, no data
// URLs for assets, no preload polyfill.
export default defineConfig({
  plugins: [
    svelte(),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src",
      filename: "service-worker.ts",
      injectRegister: null,
      registerType: "prompt",
      manifest: webManifest,
      injectManifest: { rollupFormat: "iife", globPatterns: ["**/*.{js,css,html,svg,png,webmanifest}"] },
    }),
  ],
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: "http://localhost:8080", ws: true } } },
});
