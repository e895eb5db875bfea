"""Names of models to folders: Hugging Face, GGUF files, and the embedded tiny model."""
