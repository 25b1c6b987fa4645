"""What customers read: the catalogue that pages and invoices share, its languages, and the words of invoices.

To add a language: name it in ``languages.Language``, and translate ``invoices/en.toml`` here and ``texts/en.toml`` of
the pages. To add a sentence: put it into the file of every language.
"""
