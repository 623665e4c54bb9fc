"""Why a gradient is wrong: causes that explain its error exactly, and what is known where none does."""
