"""Checkpoint to one ONNX model file, proved equal to torch step by step."""
