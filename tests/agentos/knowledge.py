"""A knowledge base for the real AgentOS of the tests: agno's own `Knowledge` over a vector database that needs no
package and no embedder. A passage is found when it shares a word with the query; the more words, the better.

It is what the embedded AgentOS has, so that the two can be compared.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, List, Optional

from agno.db.sqlite import SqliteDb
from agno.knowledge.document import Document
from agno.knowledge.knowledge import Knowledge
from agno.vectordb.base import VectorDb
from agno.vectordb.search import SearchType

STOP = set("a an and are for has in is it its of on or the this to was what who with".split())


def words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if word not in STOP}


class EmbeddedDb(VectorDb):
    """Passages in a list."""

    def __init__(self) -> None:
        super().__init__(name="EmbeddedDb")
        self.passages: list[tuple[str, Document]] = []
        # Whose a content is; nobody's is for all.
        self.owners: dict[Optional[str], Optional[str]] = {}
        # It searches by words, whatever it is asked for; that it has a type makes agno check what is asked for.
        self.search_type = SearchType.keyword

    def search(self, query: str, limit: int = 5, filters: Any = None, user_id: Optional[str] = None) -> List[Document]:
        wanted = words(query)
        scored = [(len(wanted & words(document.content)), document) for _, document in self.passages]
        found = [(score, document) for score, document in scored if score]
        if user_id is not None:
            own = lambda document: self.owners.get(document.content_id) in (None, user_id)
            found = [(score, document) for score, document in found if own(document)]
        if isinstance(filters, dict):
            fits = lambda data: all(data.get(name) == value for name, value in filters.items())
            found = [(score, document) for score, document in found if fits(document.meta_data or {})]
        found.sort(key=lambda entry: -entry[0])
        return [document for _, document in found[:limit]]

    def insert(
        self, content_hash: str, documents: List[Document], filters: Any = None, user_id: Optional[str] = None
    ) -> None:
        for document in documents:
            document.meta_data = {**(document.meta_data or {}), **(filters or {})}
            # Every backend embeds what it stores; agno counts passages without an embedding as lost.
            document.embedding = [1.0]
            kept = replace(document, id=None)
            self.owners[kept.content_id] = user_id
            self.passages.append((content_hash, kept))

    def upsert(
        self, content_hash: str, documents: List[Document], filters: Any = None, user_id: Optional[str] = None
    ) -> None:
        self._keep(lambda known, _: known != content_hash)
        self.insert(content_hash, documents, filters, user_id)

    def upsert_available(self) -> bool:
        return True

    def content_hash_exists(self, content_hash: str, user_id: Optional[str] = None) -> bool:
        return any(known == content_hash for known, _ in self.passages)

    def _keep(self, wanted: Any) -> bool:
        before = len(self.passages)
        self.passages = [(known, document) for known, document in self.passages if wanted(known, document)]
        return len(self.passages) < before

    def delete_by_content_id(self, content_id: str, user_id: Optional[str] = None) -> bool:
        return self._keep(lambda _, document: document.content_id != content_id)

    def delete_by_id(self, id: str) -> bool:
        return self._keep(lambda _, document: document.id != id)

    def delete_by_name(self, name: str) -> bool:
        return self._keep(lambda _, document: document.name != name)

    def delete_by_metadata(self, metadata: dict[str, Any]) -> bool:
        return self._keep(lambda _, document: not metadata.items() <= (document.meta_data or {}).items())

    def update_metadata(self, content_id: str, metadata: dict[str, Any]) -> None:
        for _, document in self.passages:
            if document.content_id == content_id:
                document.meta_data = {**(document.meta_data or {}), **metadata}

    def name_exists(self, name: str) -> bool:
        return any(document.name == name for _, document in self.passages)

    def id_exists(self, id: str) -> bool:
        return any(document.id == id for _, document in self.passages)

    def get_supported_search_types(self) -> List[str]:
        return ["vector", "keyword", "hybrid"]

    def create(self) -> None:
        pass

    def exists(self) -> bool:
        return True

    def drop(self) -> None:
        self.passages.clear()

    def delete(self) -> bool:
        return self._keep(lambda *_: False)

    async def async_create(self) -> None:
        pass

    async def async_exists(self) -> bool:
        return True

    async def async_drop(self) -> None:
        self.drop()

    async def async_name_exists(self, name: str) -> bool:
        return self.name_exists(name)

    # agno looks into their signatures for `user_id`.
    async def async_insert(self, *args: Any, user_id: Optional[str] = None, **kwargs: Any) -> None:
        self.insert(*args, user_id=user_id, **kwargs)

    async def async_upsert(self, *args: Any, user_id: Optional[str] = None, **kwargs: Any) -> None:
        self.upsert(*args, user_id=user_id, **kwargs)

    async def async_search(self, *args: Any, user_id: Optional[str] = None, **kwargs: Any) -> List[Document]:
        return self.search(*args, user_id=user_id, **kwargs)


def knowledge_base(db: SqliteDb) -> Knowledge:
    return Knowledge(
        name="Demo KB", description="Offline knowledge base", contents_db=db, vector_db=EmbeddedDb(), max_results=5
    )
