"""A knowledge base without a vector database: documents on a shelf, found by the words that they share with a question.

It implements agno's `VectorDb` in memory, so that everything around it (uploads, readers, chunks, contents, searches) is
agno's own code, with nothing to install and nothing to embed.
"""

from __future__ import annotations

import re
from typing import Any

from agno.knowledge.document import Document
from agno.vectordb.base import VectorDb


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


class Shelf(VectorDb):
    def __init__(self) -> None:
        super().__init__(id="shelf", name="Shelf")
        # agno asks for it when it lists what a knowledge base can do.
        self.search_type = "keyword"
        self.pieces: list[tuple[str, str | None, Document]] = []

    # What there is.

    def create(self) -> None:
        pass

    async def async_create(self) -> None:
        pass

    def exists(self) -> bool:
        return True

    async def async_exists(self) -> bool:
        return True

    def name_exists(self, name: str) -> bool:
        return any(piece.name == name for _, _, piece in self.pieces)

    async def async_name_exists(self, name: str) -> bool:
        return self.name_exists(name)

    def id_exists(self, id: str) -> bool:
        return any(piece.id == id for _, _, piece in self.pieces)

    def content_hash_exists(self, content_hash: str, user_id: str | None = None) -> bool:
        return any((known, owner) == (content_hash, user_id) for known, owner, _ in self.pieces)

    def get_supported_search_types(self) -> list[str]:
        return ["keyword"]

    # Putting in.

    def insert(
        self, content_hash: str, documents: list[Document], filters: dict | None = None, user_id: str | None = None
    ) -> None:
        for document in documents:
            document.meta_data = {**(document.meta_data or {}), **(filters or {})}
            self.pieces.append((content_hash, user_id, document))

    async def async_insert(self, *args: Any, **kwargs: Any) -> None:
        self.insert(*args, **kwargs)

    def upsert_available(self) -> bool:
        return True

    def upsert(
        self, content_hash: str, documents: list[Document], filters: dict | None = None, user_id: str | None = None
    ) -> None:
        self.pieces = [piece for piece in self.pieces if piece[:2] != (content_hash, user_id)]
        self.insert(content_hash, documents, filters, user_id)

    async def async_upsert(self, *args: Any, **kwargs: Any) -> None:
        self.upsert(*args, **kwargs)

    def update_metadata(self, content_id: str, metadata: dict[str, Any]) -> None:
        for _, _, piece in self.pieces:
            if piece.content_id == content_id:
                piece.meta_data = {**(piece.meta_data or {}), **metadata}

    # Finding.

    def search(
        self, query: str, limit: int = 5, filters: Any = None, user_id: str | None = None
    ) -> list[Document]:
        wanted = words(query)
        found = []
        for _, owner, piece in self.pieces:
            meta = piece.meta_data or {}
            fits = all(meta.get(key) == value for key, value in filters.items()) if isinstance(filters, dict) else True
            shared = len(wanted & words(piece.content or ""))
            if fits and shared and user_id in (None, owner):
                found.append((shared, piece))
        return [piece for _, piece in sorted(found, key=lambda entry: -entry[0])[:limit]]

    async def async_search(self, *args: Any, **kwargs: Any) -> list[Document]:
        return self.search(*args, **kwargs)

    # Taking away.

    def _keep(self, wanted: Any) -> bool:
        before = len(self.pieces)
        self.pieces = [piece for piece in self.pieces if wanted(piece[2])]
        return len(self.pieces) < before

    def drop(self) -> None:
        self.pieces.clear()

    async def async_drop(self) -> None:
        self.drop()

    def delete(self) -> bool:
        return self._keep(lambda _: False)

    def delete_by_id(self, id: str) -> bool:
        return self._keep(lambda piece: piece.id != id)

    def delete_by_name(self, name: str) -> bool:
        return self._keep(lambda piece: piece.name != name)

    def delete_by_metadata(self, metadata: dict[str, Any]) -> bool:
        def fits(piece: Document) -> bool:
            return all((piece.meta_data or {}).get(key) == value for key, value in metadata.items())

        return self._keep(lambda piece: not fits(piece))

    def delete_by_content_id(self, content_id: str, user_id: str | None = None) -> bool:
        return self._keep(lambda piece: piece.content_id != content_id)
