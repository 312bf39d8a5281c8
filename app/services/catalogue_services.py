"""The catalogue's services, made of one another."""

from starlette.datastructures import State

from app.config import Config
from app.services.api_documents import ApiDocuments
from app.services.cache import ReadCache
from app.services.catalogue import Catalogue
from app.services.cursors import Cursors
from app.services.document_work import DocumentWork
from app.services.imports import Imports
from app.services.pages import Pages
from app.services.relations import Relations
from app.services.search import Search
from app.storage.cache import Cache
from app.storage.database import Database


def start_catalogue(state: State, config: Config, database: Database, cache: Cache) -> ReadCache:
    """Put the catalogue's services on the application's state; their cache, to be closed."""
    read_cache = ReadCache(cache)
    cursors = Cursors(config.secret_key.get_secret_value())
    state.catalogue = Catalogue(database, read_cache, cursors)
    state.relations = Relations(database, read_cache)
    state.pages = Pages(database, read_cache)
    state.api_documents = ApiDocuments(database, read_cache, DocumentWork())
    state.search = Search(database, cursors)
    state.imports = Imports(database, read_cache, state.api_documents)
    return read_cache
