"""What a report cites: by a short name, the entry as it is printed. Only what a report's text cites is listed in it."""

from __future__ import annotations

SOURCES: dict[str, str] = {
    "utkface": (
        "Z. Zhang, Y. Song and H. Qi, “Age Progression/Regression by Conditional Adversarial Autoencoder”, CVPR 2017. "
        "arXiv:1702.08423. (The UTKFace images.)"
    ),
    "bootstrap": "B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, Chapman & Hall, 1993.",
    "mcnemar": (
        "Q. McNemar, “Note on the sampling error of the difference between correlated proportions or percentages”, "
        "Psychometrika 12, 1947, pp. 153–157."
    ),
    "permutation": "P. Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, 3rd ed., Springer, 2005.",
    "residual": (
        "K. He, X. Zhang, S. Ren and J. Sun, “Deep Residual Learning for Image Recognition”, CVPR 2016. "
        "arXiv:1512.03385."
    ),
    "squeeze": "J. Hu, L. Shen and G. Sun, “Squeeze-and-Excitation Networks”, CVPR 2018. arXiv:1709.01507.",
    "stochastic-depth": (
        "G. Huang, Y. Sun, Z. Liu, D. Sedra and K. Q. Weinberger, “Deep Networks with Stochastic Depth”, ECCV 2016. "
        "arXiv:1603.09382."
    ),
    "batch-norm": (
        "S. Ioffe and C. Szegedy, “Batch Normalization: Accelerating Deep Network Training by Reducing Internal "
        "Covariate Shift”, ICML 2015. arXiv:1502.03167."
    ),
    "distribution": (
        "B.-B. Gao, H.-Y. Zhou, J. Wu and X. Geng, “Age Estimation Using Expectation of Label Distribution Learning”, "
        "IJCAI 2018, pp. 712–718."
    ),
    "efficientnet": (
        "M. Tan and Q. V. Le, “EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks”, ICML 2019. "
        "arXiv:1905.11946. (The Lite variants, without squeeze-and-excitation: TensorFlow's EfficientNet-Lite, 2020.)"
    ),
    "mobilenet": (
        "M. Sandler, A. Howard, M. Zhu, A. Zhmoginov and L.-C. Chen, “MobileNetV2: Inverted Residuals and Linear "
        "Bottlenecks”, CVPR 2018. arXiv:1801.04381."
    ),
    "imagenet": (
        "J. Deng, W. Dong, R. Socher, L.-J. Li, K. Li and L. Fei-Fei, “ImageNet: A Large-Scale Hierarchical Image "
        "Database”, CVPR 2009."
    ),
    "keras": "F. Chollet and others, Keras, 2015 (keras.io); pre-trained networks of keras.applications.",
    "adamw": ("I. Loshchilov and F. Hutter, “Decoupled Weight Decay Regularization”, ICLR 2019. arXiv:1711.05101."),
    "cosine": (
        "I. Loshchilov and F. Hutter, “SGDR: Stochastic Gradient Descent with Warm Restarts”, ICLR 2017. "
        "arXiv:1608.03983."
    ),
    "averaging": (
        "B. T. Polyak and A. B. Juditsky, “Acceleration of Stochastic Approximation by Averaging”, SIAM Journal on "
        "Control and Optimization 30, 1992, pp. 838–855."
    ),
    "soups": (
        "M. Wortsman and others, “Model Soups: Averaging Weights of Multiple Fine-Tuned Models Improves Accuracy "
        "without Increasing Inference Time”, ICML 2022. arXiv:2203.05482."
    ),
    "noise": (
        "J. Immerkær, “Fast Noise Variance Estimation”, Computer Vision and Image Understanding 64, 1996, pp. 300–302."
    ),
    "dropout": (
        "N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, “Dropout: A Simple Way to Prevent "
        "Neural Networks from Overfitting”, JMLR 15, 2014, pp. 1929–1958."
    ),
    "smoothing": (
        "C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna, “Rethinking the Inception Architecture for "
        "Computer Vision”, CVPR 2016. arXiv:1512.00567."
    ),
    "mixup": (
        "H. Zhang, M. Cisse, Y. N. Dauphin and D. Lopez-Paz, “mixup: Beyond Empirical Risk Minimization”, ICLR 2018. "
        "arXiv:1710.09412."
    ),
    "erasing": (
        "Z. Zhong, L. Zheng, G. Kang, S. Li and Y. Yang, “Random Erasing Data Augmentation”, AAAI 2020. "
        "arXiv:1708.04896."
    ),
    "distillation": (
        "G. Hinton, O. Vinyals and J. Dean, “Distilling the Knowledge in a Neural Network”, 2015. arXiv:1503.02531."
    ),
    "gender-shades": (
        "J. Buolamwini and T. Gebru, “Gender Shades: Intersectional Accuracy Disparities in Commercial Gender "
        "Classification”, FAT* 2018, PMLR 81, pp. 77–91."
    ),
    "model-cards": ("M. Mitchell and others, “Model Cards for Model Reporting”, FAT* 2019. arXiv:1810.03993."),
}
