/** Where the keyboard is: kept while something is drawn anew, and given back when a dialog closes. */

const FIELDS = "input, textarea, select, button, a[href], [tabindex='0']";

/** Draws `root` anew by `draw`; what had the focus in it has it again, with the cursor at the same place. */
export function keepingFocus(root, draw) {
  const mark = root.contains(document.activeElement) ? describe(document.activeElement, root) : null;
  draw();
  if (mark && !root.contains(document.activeElement)) restore(mark, root);
  return Boolean(mark);
}

/** Remembers who has the focus now; the function that comes back gives it back, also to a newer copy. */
export function rememberFocus() {
  const before = document.activeElement;
  const mark = before && describe(before, document.body);
  return () => {
    if (before?.isConnected) before.focus();
    else if (mark) restore(mark, document.body);
  };
}

function describe(node, root) {
  const block = node.closest(".block");
  const action = node.closest("[data-action], [data-test]");
  const { action: name, test } = action?.dataset ?? {};
  return {
    block: block?.dataset.block ?? null,
    row: node.closest("[data-ts]")?.dataset.ts ?? null,
    selector: name ? `[data-action="${CSS.escape(name)}"]` : test ? `[data-test="${CSS.escape(test)}"]` : null,
    inner: action && action !== node ? [...action.querySelectorAll(FIELDS)].indexOf(node) : -1,
    place: [...root.querySelectorAll(FIELDS)].indexOf(node),
    selection: "selectionStart" in node ? [node.selectionStart, node.selectionEnd] : null,
  };
}

/** The same field by its names, or else whatever stands at the same place among the fields now. */
function restore({ block, row, selector, inner, place, selection }, root) {
  const around = (row && root.querySelector(`[data-ts="${CSS.escape(row)}"]`)) || root;
  const within = (block && around.querySelector(`[data-block="${CSS.escape(block)}"]`)) || around;
  const named = selector && within.querySelectorAll(selector);
  let found = named?.length === 1 ? named[0] : null;
  if (found && inner >= 0) found = found.querySelectorAll(FIELDS)[inner] ?? found;
  found ??= [...root.querySelectorAll(FIELDS)][place] ?? null;
  found?.focus();
  if (selection && found && "selectionStart" in found && selection[0] !== null) {
    found.setSelectionRange?.(Math.min(selection[0], found.value.length), Math.min(selection[1], found.value.length));
  }
}
