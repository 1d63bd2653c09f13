/**
 * The page's only style sheet. Colours are the tokens of the product (`ux.md` 2.1): light first, because the page is
 * read in front of a cabinet in daylight; saturated colour only for what is not normal.
 */
export const STYLE = `:root{--bg:#D9DCDF;--surface:#E6E8EA;--raised:#F2F3F4;--line:#6E757C;--text:#1B1F23;--text2:#454B52;--stale:#5B6168;--accent:#0B4F8A;--p1:#B00020;--p2:#963F00;--p3:#6B5400;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--bg:#1E2226;--surface:#272C31;--raised:#31373D;--line:#868E96;--text:#E4E7EA;--text2:#B3BAC1;--stale:#9AA2AA;--accent:#7FB8EE;--p1:#FF8A8A;--p2:#FFA552;--p3:#F2C94C}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:20px/1.4 system-ui,sans-serif;font-variant-numeric:tabular-nums}
header,main,footer{max-width:1100px;margin:0 auto;padding:12px 16px}
header{display:flex;flex-wrap:wrap;gap:4px 24px;align-items:baseline}
h1{font-size:28px;margin:0}h2{font-size:24px;margin:24px 0 8px}
header p,footer p{margin:0;color:var(--text2)}
nav ul{display:flex;flex-wrap:wrap;gap:8px;list-style:none;margin:0;padding:0}
nav a{display:flex;align-items:center;min-height:80px;padding:0 20px;background:var(--raised);border:1px solid var(--line);border-radius:4px;text-decoration:none}
nav a[aria-current]{border-width:3px;font-weight:bold}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.ladder{list-style:none;margin:0;padding:0}
.ladder>li{display:grid;grid-template-columns:48px 1fr;gap:4px 12px;align-items:start;min-height:80px;padding:14px 16px;background:var(--surface);border:1px solid var(--line);border-top-width:0}
.ladder>li:first-child{border-top-width:1px}
.shape{font-size:32px;line-height:1;font-weight:bold;text-align:center}
.ladder h3{font-size:20px;margin:0;display:inline}
.ladder p{margin:2px 0;color:var(--text2)}
.word{font-weight:bold}
.fault .shape,.fault .word{color:var(--p1)}.warn .shape,.warn .word{color:var(--p2)}
.fault{border-left:8px solid var(--p1)!important}.warn{border-left:8px solid var(--p2)!important}
.next{color:var(--text)!important}
#lost{margin:0;padding:16px;background:var(--raised);border-bottom:4px dashed var(--p1);color:var(--p1);font-weight:bold}#lost[hidden]{display:none}
body.lost main{opacity:.55}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;background:var(--surface)}
caption{text-align:left;padding:4px 0;color:var(--text2)}
th,td{padding:10px 12px;border:1px solid var(--line);text-align:left;vertical-align:top}
td.n{text-align:right;white-space:nowrap}tbody th{min-width:6em}
tbody tr{height:80px}
.stale{color:var(--stale)}.bad{outline:2px dashed var(--line);outline-offset:2px;padding:0 4px}.uncertain{border-bottom:3px dotted var(--p3)}
@media (max-width:700px){table.cards thead{display:none}table.cards,table.cards tbody,table.cards tr,table.cards th,table.cards td{display:block}table.cards tr{height:auto;border:1px solid var(--line);margin-bottom:12px;padding:8px 12px}table.cards th,table.cards td{border:0;padding:4px 0;text-align:left;white-space:normal}table.cards tbody th{font-size:22px}table.cards td[data-label]::before{content:attr(data-label) ": ";color:var(--text2)}}
form{display:flex;flex-wrap:wrap;gap:8px;align-items:end;margin:8px 0}
label{display:block}
form>div{flex:0 1 420px}form>div input{width:100%}form.upright>div{flex:none;width:100%;max-width:420px}nav form{margin:0}
button{cursor:pointer;border-width:2px}
form.upright{flex-direction:column;align-items:start}
section{margin:0 0 24px}
.buttons{display:flex;flex-wrap:wrap;gap:0 12px}
.devices{list-style:none;margin:0;padding:0}.devices>li{padding:12px 16px;background:var(--surface);border:1px solid var(--line)}.devices h3{margin:0;font-size:20px}.devices p{margin:4px 0}
.switched,.told{margin:8px 0;padding:14px 16px;background:var(--raised);border:1px solid var(--line);border-left:8px solid var(--p2)}
.told.ok{border-left:8px solid var(--line)}.told .shape{font-size:24px}
input,button,select{font:inherit;min-height:80px;max-width:100%;padding:0 16px;background:var(--raised);color:var(--text);border:1px solid var(--line);border-radius:4px}
`;
