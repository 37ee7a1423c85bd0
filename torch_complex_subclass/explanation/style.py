"""The style of the page, under one class so that a notebook keeps its own.

Colours are translucent and the text has that of the surroundings, light or dark.
"""

# Said three times, the class counts for more than what a notebook says of its tables.
_ROOT = ".tcs-explain" * 3

STYLE = """
.tcs-explain { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto;
  padding: 1rem; box-sizing: border-box }
.tcs-explain h1 { font-size: 1.5rem; margin: 0 0 1rem; overflow-wrap: anywhere }
.tcs-explain h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
.tcs-explain h3 { font-size: 1rem; font-weight: normal; margin: 1rem 0 .25rem;
  overflow-wrap: anywhere }
.tcs-explain code, .tcs-explain pre { font: 13px/1.5 ui-monospace, monospace; margin: 0;
  background: none; color: inherit; padding: 0; border: 0 }
.tcs-explain .scroll { overflow-x: auto }
.tcs-explain table { border-collapse: collapse; margin: 0; width: 100%; table-layout: auto;
  font-size: inherit }
.tcs-explain th, .tcs-explain td { text-align: left; vertical-align: top; padding: .3rem .75rem;
  border-bottom: 1px solid rgba(128, 128, 128, .25); background: none; white-space: normal }
.tcs-explain td code { margin-right: .5rem; white-space: normal; overflow-wrap: anywhere }
.tcs-explain td:first-child code { white-space: nowrap }
.tcs-explain .tiles { display: flex; flex-wrap: wrap; gap: .75rem; padding: 0; margin: 0 0 1rem;
  list-style: none }
.tcs-explain .tiles li { flex: 1 1 12rem; padding: .5rem 1rem; border-radius: .4rem; margin: 0 }
.tcs-explain .tiles b { display: block; font-size: 1.6rem; line-height: 1.2 }
.tcs-explain .fused { background: rgba(34, 160, 80, .14) }
.tcs-explain .native { background: rgba(40, 110, 230, .16) }
.tcs-explain .fallback { background: rgba(230, 110, 20, .22) }
.tcs-explain .none { background: rgba(128, 128, 128, .12) }
.tcs-explain .badge { display: inline-block; padding: 0 .5rem; border-radius: 1rem;
  font-size: 13px; white-space: nowrap }
.tcs-explain .code td { border: 0; padding: 0 .75rem }
.tcs-explain .code pre { white-space: pre }
.tcs-explain .code td:first-child { text-align: right;
  white-space: nowrap; width: 1%; font-variant-numeric: tabular-nums }
.tcs-explain .code td:nth-child(2) { white-space: nowrap; width: 1% }
.tcs-explain section { padding: .5rem 1rem; border-radius: .4rem; margin: .5rem 0 }
.tcs-explain section h3, .tcs-explain section p { margin: .25rem 0 }
.tcs-explain .times { padding: 0; margin: 0; list-style: none }
.tcs-explain .times li { margin: .5rem 0 }
.tcs-explain .times code { overflow-wrap: anywhere; margin-right: .75rem }
.tcs-explain .times div { height: .5rem; min-width: 1px; border-radius: .2rem;
  background: rgba(34, 160, 80, .7) }
.tcs-explain .times .library { background: rgba(40, 110, 230, .7) }
.tcs-explain footer { margin-top: 2rem; opacity: .7 }
""".replace(".tcs-explain", _ROOT)
