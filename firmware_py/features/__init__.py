"""The rules of the hall, one module or small package each. Features never import each other."""
