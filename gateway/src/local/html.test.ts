import { expect, test } from "bun:test";
import { html } from "./html.ts";

test("S27: every text is escaped, in content and in attributes; HTML is not escaped twice", () => {
  const evil = `<img src=x onerror="alert('1')">&`;
  const inner = html`<i>${evil}</i>`;
  expect(html`<p title="${evil}">${inner}${[inner]}${null}${0}</p>`.text).not.toContain("<img");
  expect(inner.text).toBe("<i>&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;</i>");
  expect(html`${inner}`.text).toBe(inner.text);
});
