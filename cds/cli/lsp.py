"""
`cds lsp`: the language server protocol, over what `cds.workshop.editing.editor` knows.

Nothing is decided here: positions are translated, answers are wrapped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path
from pygls.workspace.position_codec import (
    PositionCodec,
    ServerTextPosition,
    ServerTextRange,
)

import cds
from cds.core.clauses import Place
from cds.rulefiles.diagnostics import Diagnostic
from cds.rulefiles.fixes import Edit, Fix
from cds.rulefiles.nodes import Source
from cds.service.places import default_rules
from cds.workshop.editing.editor import Editor, Symbol

__all__ = ["make_server", "serve_editor"]

_WAIT: Final = 0.4
"""Seconds without a keystroke before the folder is checked anew."""

_SORTS: Final = {
    "key": lsp.CompletionItemKind.Property,
    "word": lsp.CompletionItemKind.Keyword,
    "threshold": lsp.CompletionItemKind.Constant,
    "concept": lsp.CompletionItemKind.Variable,
    "patient": lsp.CompletionItemKind.Struct,
    "source": lsp.CompletionItemKind.Reference,
}
_TRIGGERS: Final = (" ", ":", "[", "{", ",")


def serve_editor(*, rules: Path | None) -> int:
    """Serve one editor on stdin and stdout until it says that it is done."""
    make_server(rules).start_io()
    return 0


class _Desk:
    """The folders of rules that are being edited, each with its editor."""

    def __init__(self, rules: Path | None) -> None:
        self._rules = rules.resolve() if rules is not None else None
        self._editors: dict[Path, Editor] = {}
        self.marked: dict[str, set[str]] = {}

    def editor_of(self, uri: str) -> tuple[Editor, str] | None:
        """Give the editor of a file and the file's name; None for what is no rule file."""
        path = to_fs_path(uri)
        if path is None:
            return None
        file = Path(path).resolve()
        folder = self._rules or _folder_of(file)
        editor = self._editors.get(folder)
        if editor is None:
            today = datetime.now(UTC).date()
            editor = self._editors[folder] = Editor(folder, as_of=today)
        name = editor.name_of(file)
        return (editor, name) if name else None


def _folder_of(file: Path) -> Path:
    """Find the folder of rules that a file is in: the nearest one that names its release."""
    for folder in file.parents:
        if (folder / "release.yaml").exists():
            return folder
    return default_rules().resolve()


# --- translation ------------------------------------------------------------------------


class _Translator:
    """Translates places into the client's ranges, and back; columns may be counted otherwise."""

    def __init__(self, codec: PositionCodec) -> None:
        self._codec = codec

    def position(self, source: Source, position: lsp.Position) -> tuple[int, int]:
        """Give line and column, both counted from one."""
        found = self._codec.position_from_client_units(source.lines, position)
        return found.line + 1, found.character + 1

    def span(self, source: Source, start: tuple[int, int], end: tuple[int, int]) -> lsp.Range:
        """Give a range; *start* and *end* are lines and columns counted from one."""
        return self._codec.range_to_client_units(
            source.lines,
            ServerTextRange(
                ServerTextPosition(start[0] - 1, start[1] - 1),
                ServerTextPosition(end[0] - 1, end[1] - 1),
            ),
        )

    def place(self, source: Source, place: Place) -> lsp.Range:
        """Give the range of a place."""
        end = (place.line, place.column + place.width)
        return self.span(source, (place.line, place.column), end)

    def edit(self, source: Source, edit: Edit) -> lsp.TextEdit:
        """Give an edit with a range in place of offsets."""
        start, end = source.position(edit.start), source.position(edit.end)
        return lsp.TextEdit(range=self.span(source, start, end), new_text=edit.text)


def _uri(editor: Editor, path: str) -> str:
    return from_fs_path(str(editor.file_of(path))) or ""


def _diagnostic(editor: Editor, to: _Translator, found: Diagnostic) -> lsp.Diagnostic:
    words = [found.headline, *found.notes, *([found.help] if found.help else [])]
    severity = lsp.DiagnosticSeverity.Warning
    if found.severity == "error":
        severity = lsp.DiagnosticSeverity.Error
    related = [
        lsp.DiagnosticRelatedInformation(
            location=_location(editor, to, one.place), message=one.label or "here"
        )
        for one in found.spans
    ]
    return lsp.Diagnostic(
        range=to.place(editor.source(found.place.path), found.place),
        message="\n".join(words),
        severity=severity,
        code=found.code,
        source=f"cds {found.name}",
        related_information=related or None,
    )


def _location(editor: Editor, to: _Translator, place: Place) -> lsp.Location:
    return lsp.Location(
        uri=_uri(editor, place.path), range=to.place(editor.source(place.path), place)
    )


def _action(editor: Editor, to: _Translator, found: Diagnostic, fix: Fix) -> lsp.CodeAction:
    files: dict[str, list[lsp.TextEdit]] = {}
    for one in fix.edits:
        edit = to.edit(editor.source(one.path), one)
        files.setdefault(_uri(editor, one.path), []).append(edit)
    changes: list[lsp.TextDocumentEdit | lsp.CreateFile | lsp.RenameFile | lsp.DeleteFile] = [
        lsp.TextDocumentEdit(
            text_document=lsp.OptionalVersionedTextDocumentIdentifier(uri=uri), edits=edits
        )
        for uri, edits in files.items()
    ]
    if fix.rename:
        old, new = _uri(editor, found.place.path), _uri(editor, fix.rename)
        changes.append(lsp.RenameFile(old_uri=old, new_uri=new))
    return lsp.CodeAction(
        title=fix.title,
        kind=lsp.CodeActionKind.QuickFix,
        diagnostics=[_diagnostic(editor, to, found)],
        is_preferred=fix.safe,
        edit=lsp.WorkspaceEdit(document_changes=changes),
    )


def _symbols(
    source: Source, to: _Translator, symbols: Sequence[Symbol]
) -> Iterator[lsp.DocumentSymbol]:
    for one in symbols:
        last = max(one.last, one.place.line)
        end = (last, len(source.lines[last - 1]) + 1)
        kind = lsp.SymbolKind.Key if one.sort == "key" else lsp.SymbolKind.Object
        yield lsp.DocumentSymbol(
            name=one.name,
            kind=kind,
            range=to.span(source, (one.place.line, one.place.column), end),
            selection_range=to.place(source, one.place),
            children=list(_symbols(source, to, one.of)),
        )


# --- the server -------------------------------------------------------------------------


def make_server(rules: Path | None) -> LanguageServer:
    """Make a server for the rules of one folder, or of whatever folder a file is in."""
    server = LanguageServer("cds", cds.__version__)
    desk = _Desk(rules)
    _follow_texts(server, desk)
    _explain(server, desk)
    _mend(server, desk)
    return server


def _follow_texts(server: LanguageServer, desk: _Desk) -> None:
    """Follow what is opened, written and saved, and send what was found."""
    waiting: dict[Editor, asyncio.Task[None]] = {}

    def publish(editor: Editor) -> None:
        """Send the findings of a folder, and take back those that are gone."""
        to, found = _Translator(server.workspace.position_codec), editor.findings()
        marked = desk.marked.setdefault(str(editor.folder), set())
        for path, several in found.items():
            if several or path in marked:
                server.text_document_publish_diagnostics(
                    lsp.PublishDiagnosticsParams(
                        uri=_uri(editor, path),
                        diagnostics=[_diagnostic(editor, to, one) for one in several],
                    )
                )
        marked.clear()
        marked.update(path for path, several in found.items() if several)

    async def publish_later(editor: Editor) -> None:
        await asyncio.sleep(_WAIT)
        publish(editor)

    def check(editor: Editor, *, now: bool = False) -> None:
        task = waiting.pop(editor, None)
        if task is not None:
            task.cancel()
        if now:
            publish(editor)
        else:
            waiting[editor] = asyncio.get_running_loop().create_task(publish_later(editor))

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        found = desk.editor_of(params.text_document.uri)
        if found is not None:
            editor, name = found
            editor.put(name, params.text_document.text)
            check(editor, now=True)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        found = desk.editor_of(params.text_document.uri)
        if found is not None:
            editor, name = found
            text = server.workspace.get_text_document(params.text_document.uri).source
            editor.put(name, text)
            check(editor)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(params: lsp.DidSaveTextDocumentParams) -> None:
        found = desk.editor_of(params.text_document.uri)
        if found is not None:
            found[0].refresh()
            check(found[0], now=True)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        found = desk.editor_of(params.text_document.uri)
        if found is not None:
            editor, name = found
            editor.drop(name)
            check(editor, now=True)


def _explain(server: LanguageServer, desk: _Desk) -> None:
    """Answer what stands at a position, what could follow, and where it is declared."""

    def translator() -> _Translator:
        return _Translator(server.workspace.position_codec)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(params: lsp.HoverParams) -> lsp.Hover | None:
        found = desk.editor_of(params.text_document.uri)
        if found is None:
            return None
        editor, name = found
        source, to = editor.source(name), translator()
        said = editor.hover(name, *to.position(source, params.position))
        if said is None:
            return None
        return lsp.Hover(
            contents=lsp.MarkupContent(kind=lsp.MarkupKind.Markdown, value=said.text),
            range=to.place(source, said.place),
        )

    @server.feature(
        lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=list(_TRIGGERS))
    )
    def completion(params: lsp.CompletionParams) -> lsp.CompletionList:
        found = desk.editor_of(params.text_document.uri)
        items: list[lsp.CompletionItem] = []
        if found is not None:
            editor, name = found
            source, to = editor.source(name), translator()
            line, column = to.position(source, params.position)
            for one in editor.proposals(name, line, column):
                span = to.span(source, (line, one.start + 1), (line, one.end + 1))
                about = lsp.MarkupContent(kind=lsp.MarkupKind.Markdown, value=one.about)
                items.append(
                    lsp.CompletionItem(
                        label=one.text.strip(),
                        kind=_SORTS.get(one.sort, lsp.CompletionItemKind.Function),
                        detail=one.detail or None,
                        documentation=about if one.about else None,
                        text_edit=lsp.TextEdit(range=span, new_text=one.text),
                    )
                )
        return lsp.CompletionList(is_incomplete=False, items=items)

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def definition(params: lsp.DefinitionParams) -> lsp.Location | None:
        found = desk.editor_of(params.text_document.uri)
        if found is None:
            return None
        editor, name = found
        to = translator()
        place = editor.definition(name, *to.position(editor.source(name), params.position))
        return _location(editor, to, place) if place is not None else None

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def document_symbol(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        found = desk.editor_of(params.text_document.uri)
        if found is None:
            return []
        editor, name = found
        return list(_symbols(editor.source(name), translator(), editor.symbols(name)))


def _mend(server: LanguageServer, desk: _Desk) -> None:
    """Offer what would mend a finding, and the one layout."""

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]),
    )
    def code_action(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        found = desk.editor_of(params.text_document.uri)
        if found is None:
            return []
        editor, name = found
        first, last = params.range.start.line + 1, params.range.end.line + 1
        to = _Translator(server.workspace.position_codec)
        return [_action(editor, to, one, fix) for one, fix in editor.fixes(name, first, last)]

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        found = desk.editor_of(params.text_document.uri)
        if found is None:
            return []
        editor, name = found
        source, done = editor.source(name), editor.formatted(name)
        if done.text is None:
            server.window_show_message(
                lsp.ShowMessageParams(
                    type=lsp.MessageType.Warning,
                    message="left as it is: " + "; ".join(done.reasons),
                )
            )
            return []
        if done.text == source.text:
            return []
        whole = lsp.Range(
            start=lsp.Position(line=0, character=0),
            end=lsp.Position(line=len(source.lines) + 1, character=0),
        )
        return [lsp.TextEdit(range=whole, new_text=done.text)]
