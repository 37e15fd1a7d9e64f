"""Networks: layers, coupling, CU-Net, counts."""
