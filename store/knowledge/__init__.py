"""Knowledge that changes often: documents, cut into passages, found by their words. Retrieved, never trained on."""
