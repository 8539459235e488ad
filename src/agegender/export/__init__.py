"""From a trained Keras model to ONNX files that answer the same without Keras."""
