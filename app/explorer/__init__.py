"""The linked drawing of the layers: matrix, tree, map, depth strip and the facts of one layer."""
