"""``python -m appliance.web.translations``: bring the catalogues in step with the texts in code and templates.

New texts are added empty (in English: as they are), those no longer used are dropped. A test compares.
"""

from __future__ import annotations

import sys

from appliance.web.translations import catalogues


def main() -> None:
    """Rewrite ``en.po`` and ``de.po``; say what is still to be translated."""
    for language in catalogues.LANGUAGES:
        missing = catalogues.update(language)
        sys.stdout.write(f"{language}: {len(missing)} to translate\n")
        for message in missing:
            sys.stdout.write(f"  {message}\n")


if __name__ == "__main__":
    main()
