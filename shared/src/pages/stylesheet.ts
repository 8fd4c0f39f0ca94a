/**
 * Owns the look of all pages: one stylesheet, light and dark, from phone to desktop, without fonts or scripts. Buttons in a `.late`
 * form ignore clicks for 0.7 s, so that the second half of a double click on the page before approves nothing.
 */

export const stylesheet = `
:root{color-scheme:light dark;--ink:#16181d;--soft:#5a6070;--line:#dfe2e8;--paper:#fff;--ground:#f4f5f7;--accent:#3b5bdb;--on-accent:#fff;--warn:#8a5300;--warn-ground:#fff6e5;--code:#f0f1f4}
@media(prefers-color-scheme:dark){:root{--ink:#eceef2;--soft:#a3a9b8;--line:#343945;--paper:#1c1f26;--ground:#121419;--accent:#91a7ff;--on-accent:#10131c;--warn:#ffd08a;--warn-ground:#33270f;--code:#262a33}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:27rem;margin:0 auto;padding:max(1.25rem,8vh) 1.25rem 3rem}
main.wide{max-width:52rem;padding-top:max(1.25rem,6vh)}
.card{background:var(--paper);border:1px solid var(--line);border-radius:14px;padding:1.75rem}
.card+.card{margin-top:1.25rem}
header.brand{display:flex;align-items:center;gap:.7rem;margin:0 0 1.25rem;font-weight:600;overflow-wrap:anywhere}
header.brand img{max-width:10rem;max-height:3rem}
footer.links{display:flex;flex-wrap:wrap;justify-content:center;gap:.35rem 1.25rem;margin-top:.75rem}
footer a{color:inherit}
h1{font-size:1.35rem;line-height:1.3;margin:0 0 .5rem;text-wrap:balance;overflow-wrap:anywhere}
.wide h1{font-size:1.9rem}
h2{font-size:1.05rem;margin:1.75rem 0 .5rem}
.card>h2:first-child{margin-top:0}
.card>:last-child,.card>:last-child>:last-child{margin-bottom:0}
h1+.notice{margin-top:.9rem}
h3{font-size:.95rem;margin:1.25rem 0 .35rem}
p{margin:0 0 .85rem;overflow-wrap:break-word}
.soft,dt,footer{color:var(--soft)}
.small,footer{font-size:.86rem}
footer{margin-top:1.5rem;text-align:center}
a{color:var(--accent)}
ul{margin:0 0 .85rem;padding-inline-start:1.2rem}
dl{margin:1rem 0}
dt{font-size:.9rem}
dd+dt{margin-top:.6rem}
dd{margin:0;overflow-wrap:anywhere}
.notice{background:var(--warn-ground);color:var(--warn);border-radius:9px;padding:.65rem .85rem;font-size:.9rem;margin:0 0 1rem}
button,.button{display:block;width:100%;min-height:2.9rem;padding:.6rem 1rem;margin:0 0 .6rem;border:1px solid var(--accent);border-radius:10px;background:var(--accent);color:var(--on-accent);font:inherit;font-weight:600;line-height:1.3;text-align:center;text-decoration:none;cursor:pointer}
a.button{padding-block:.75rem}
button.quiet,.button.quiet{background:transparent;border-color:var(--line);color:var(--ink);font-weight:500}
button.link{display:inline;width:auto;min-height:0;margin:0;padding:0;border:0;background:none;color:var(--accent);font:inherit;text-decoration:underline}
button:hover,.button:hover{filter:brightness(1.06)}
.late button{animation:late .7s step-end}
@keyframes late{from{pointer-events:none;opacity:.5}}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
code,pre{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--code);border-radius:6px}
code{padding:.12em .35em;overflow-wrap:anywhere}
pre{padding:.8rem 1rem;margin:0 0 1rem;overflow-x:auto;border-radius:9px}
pre code{padding:0;background:none;font:inherit;overflow-wrap:normal}
table{width:100%;border-collapse:collapse;margin:0 0 1rem;font-size:.94rem}
th,td{text-align:start;vertical-align:top;padding-block:.5rem;padding-inline:0 .75rem;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft);font-size:.86rem}
.scroll{overflow-x:auto}
details{border-top:1px solid var(--line);padding:.7rem 0}
summary{cursor:pointer;font-weight:600}
details[open]>summary{margin-bottom:.7rem}
.ticks{list-style:none;padding:0}
.ticks li{position:relative;padding-block:.15rem;padding-inline:1.7rem 0}
.ticks li::before{content:"✓"/"";position:absolute;inset-inline-start:.2rem;color:var(--accent);font-weight:700}
.ticks li.choice{padding-inline-start:0}
.ticks li.choice::before{content:none}
label{display:flex;gap:.55rem;align-items:baseline;cursor:pointer;min-height:1.5rem}
label.field{display:block;margin:0 0 1rem}
label.field span{display:block;margin:0 0 .3rem}
select,input[type=text]{width:100%;min-height:2.9rem;padding:.5rem .75rem;border:1px solid var(--soft);border-radius:10px;background:var(--paper);color:var(--ink);font:inherit}
input.code{font:600 1.25rem/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;letter-spacing:.12em;text-align:center;text-transform:uppercase}
p.code{text-align:center;margin:1rem 0}
p.code code{font-size:1.5rem;letter-spacing:.12em;padding:.25em .6em}
input[type=checkbox]{flex:none;width:1.15rem;height:1.15rem;margin:0;accent-color:var(--accent);position:relative;top:.2rem}
.ticks details.tools{border:0;padding:.1rem 0 .3rem;font-size:.9rem}
.ticks details.tools summary{font-weight:400;color:var(--soft);padding:.2rem 0;overflow-wrap:anywhere}
.ticks .choice details.tools{padding-inline-start:1.7rem}
.ticks details.tools ul{margin:.2rem 0 .4rem;padding-inline-start:1.1rem}
.ticks details.tools li{list-style:disc;padding:.05rem 0;overflow-wrap:anywhere}
.ticks details.tools li::before{content:none}
.within{font-size:.9rem;padding-inline-start:1.1rem;margin:.1rem 0 .2rem}
p.within{padding-inline-start:0}
.ticks ul.within li{list-style:disc;padding:.05rem 0;color:var(--soft);overflow-wrap:anywhere}
.ticks ul.within li::before{content:none}
.ticks .choice .within{margin-inline-start:1.7rem}
details.plain{border:0;padding:0;margin:0 0 .6rem;text-align:center}
details.plain:not([open]){margin-bottom:.2rem}
details.plain summary{font-weight:400;font-size:.94rem;color:var(--soft);padding:.45rem 0}
.tag{display:inline-block;padding:.05em .5em;border:1px solid var(--line);border-radius:99px;font-size:.8rem;color:var(--soft)}
.tag.extra{border-color:var(--accent);color:var(--accent)}
.wide header{margin:0 0 2rem}
.wide h2{font-size:1.2rem}
.wide .card>:last-child{margin-bottom:0}
.wide .card>details:last-child{padding-bottom:0}
.lead{font-size:1.1rem;max-width:38rem;margin-bottom:1.1rem}
.address{display:inline-block;max-width:100%;margin:0;padding:.7rem 1.1rem;background:var(--paper);border:1px solid var(--accent);font-size:1.05rem}
.entries{list-style:none;padding:0;margin:0 0 .85rem}
.entries>li{padding:.7rem 0;border-top:1px solid var(--line)}
.entries>li:last-child{padding-bottom:0}
.entries h3{margin-top:.35rem}
.entries p{margin:0 0 .15rem}
@media(min-width:44rem){.entries button{width:auto}dl.facts{display:grid;grid-template-columns:10rem 1fr;gap:.35rem 1rem}dl.facts dd+dt{margin-top:0}dl.facts ul{margin:0}.entries.split>li{display:grid;grid-template-columns:14rem 1fr;gap:0 1rem;align-items:baseline}}
ol{margin:0 0 .85rem;padding-inline-start:1.4rem}
ol li+li,ul:not(.entries):not(.ticks) li+li{margin-top:.35rem}
`.trim();
