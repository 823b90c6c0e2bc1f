"""Ready architectures of well-kept packages, small, adapted to the cube's shape: (1, 4, 1, 32, 32) in,
(1, 1, 32, 32) out. A package that isn't installed is left out."""

import importlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

LAGS, SIDE = 4, 32


class Adapted(nn.Module):
    """Lags as channels, the largest map of what the body gives brought to the cube's size."""

    def __init__(
        self, body: nn.Module, call: Callable[[nn.Module, Tensor], Any], planes: int
    ) -> None:
        super().__init__()
        self.call, self.body = call, body
        self.first = nn.Conv2d(LAGS, planes, 1)
        with torch.no_grad():
            for weights in (
                body.parameters()
            ):  # a branch that begins at zero sees nothing before it is trained
                if weights.dim() and not weights.any():
                    weights.normal_(std=0.1)
            _measure(call, body, planes)
            made = _map_of(call(body, torch.rand(2, planes, SIDE, SIDE)))
        self.last = nn.Conv2d(made.shape[1], 1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.first(torch.log1p(history).flatten(1, 2))
        made = self.last(_map_of(self.call(self.body, x)))
        if made.shape[-2:] != x.shape[-2:]:
            made = functional.interpolate(made, size=x.shape[-2:], mode="bilinear")
        return made


def _measure(call: Callable[[nn.Module, Tensor], Any], body: nn.Module, planes: int) -> None:
    """Give its batch normalisations the statistics of what they see, as training does: with those of
    no data the values of a deep network fade away on the way through it."""
    norms = [m for m in body.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    body.eval()
    for norm in norms:
        norm.train()
    for _ in range(30 if norms else 0):
        call(body, torch.rand(4, planes, SIDE, SIDE))
    body.eval()


def _map_of(value: Any) -> Tensor:
    """The first map (B, C, H, W) of an output; of tokens (B, N, C) those that are patches; of numbers
    (B, C) a map of one cell."""
    if isinstance(value, Tensor):
        if value.dim() == 4:
            return value
        if value.dim() == 3:
            side = int(value.shape[1] ** 0.5)
            patches = value[:, value.shape[1] - side * side :]
            return patches.transpose(1, 2).unflatten(2, (side, side))
        return value.flatten(1)[..., None, None]
    parts = list(value.values()) if isinstance(value, dict) else list(value)
    tensors = [part for part in parts if isinstance(part, Tensor)]
    maps = [part for part in tensors if part.dim() == 4]
    return _map_of((maps or tensors or [parts[0]])[0])


def architectures() -> dict[str, Callable[[], Adapted]]:
    """Name → maker, of all packages that are installed."""
    found: dict[str, Callable[[], Adapted]] = {}
    for make in (_monai, _transformers, _diffusers, _neuralop, _timm):
        try:
            found |= make()
        except (ImportError, RuntimeError):  # or its own packages don't fit together
            continue
    return found


def _plain(body: Callable[[], nn.Module], planes: int = LAGS) -> Callable[[], Adapted]:
    return lambda: Adapted(body(), lambda net, x: net(x), planes)


def _monai() -> dict[str, Callable[[], Adapted]]:
    nets = importlib.import_module("monai.networks.nets")
    two = {"spatial_dims": 2, "in_channels": 4, "out_channels": 2}
    small = {"channels": (4, 8, 16), "strides": (2, 2)}
    features = (4, 4, 8, 8, 8, 4)
    dyn = {
        "kernel_size": [3, 3, 3],
        "strides": [1, 2, 2],
        "upsample_kernel_size": [2, 2],
        "filters": [4, 8, 8],
    }
    made: dict[str, Callable[[], nn.Module]] = {
        "AHNet": lambda: nets.AHNet(spatial_dims=2, in_channels=3, out_channels=2, psp_block_num=0),
        "AttentionUnet": lambda: nets.AttentionUnet(**two, **small),
        "AutoEncoder": lambda: nets.AutoEncoder(**two, **small),
        "AutoEncoder, inner layers": lambda: nets.AutoEncoder(**two, **small, inter_channels=[8, 8], num_res_units=1),
        "AutoencoderKL": lambda: nets.AutoencoderKL(**two, num_res_blocks=(1, 1), channels=(8, 8), attention_levels=(False, True), latent_channels=3, norm_num_groups=4),
        "BasicUNet": lambda: nets.BasicUNet(**two, features=features, norm=("batch", {})),
        "BasicUNet, instance": lambda: nets.BasicUNet(**two, features=features),
        "BasicUNetPlusPlus": lambda: nets.BasicUNetPlusPlus(**two, features=features),
        "DenseNet": lambda: nets.DenseNet(**two, init_features=8, growth_rate=4, block_config=(2, 2)),
        "DiffusionModelUNet": lambda: _AtTime(nets.DiffusionModelUNet(**two, num_res_blocks=(1, 1), channels=(8, 8), attention_levels=(False, True), norm_num_groups=4, num_head_channels=4)),
        "Discriminator": lambda: nets.Discriminator(in_shape=(4, 32, 32), **small, num_res_units=1),
        "DynUNet": lambda: nets.DynUNet(**two, **dyn, norm_name="batch"),
        "DynUNet, residual": lambda: nets.DynUNet(**two, **dyn, norm_name="instance", res_block=True),
        "EfficientNet": lambda: nets.EfficientNetBN("efficientnet-b0", pretrained=False, spatial_dims=2, in_channels=4, num_classes=2),
        "HighResNet": lambda: nets.HighResNet(**two, layer_params=({"name": "conv_0", "n_features": 4, "kernel_size": 3}, {"name": "res_1", "n_features": 4, "kernels": (3, 3), "repeat": 2}, {"name": "conv_1", "n_features": 8, "kernel_size": 1})),
        "MedNeXt": lambda: nets.MedNeXt(**two, init_filters=4),
        "MedNeXt, deep": lambda: nets.MedNeXt(**two, init_filters=4, blocks_down=(1, 1), bottleneck_blocks=1, blocks_up=(1, 1), encoder_expansion_ratio=3),
        "PatchDiscriminator": lambda: nets.PatchDiscriminator(spatial_dims=2, in_channels=4, channels=4, num_layers_d=2),
        "Quicknat": lambda: nets.Quicknat(num_classes=2, num_channels=4, num_filters=8),
        "RegUNet": lambda: nets.RegUNet(spatial_dims=2, in_channels=4, num_channel_initial=4, depth=2, out_channels=2),
        "ResNet": lambda: nets.ResNet("basic", [1, 1, 1, 1], [4, 8, 8, 8], spatial_dims=2, n_input_channels=4, num_classes=2),
        "SegResNet": lambda: nets.SegResNet(**two, init_filters=8),
        "SegResNet, batch": lambda: nets.SegResNet(**two, init_filters=8, norm=("batch", {})),
        "SegResNetDS": lambda: nets.SegResNetDS(**two, init_filters=8),
        "SegResNetDS2": lambda: nets.SegResNetDS2(**two, init_filters=8),
        "SENet": lambda: nets.SENet(spatial_dims=2, in_channels=4, block="se_bottleneck", layers=[1, 1, 1, 1], groups=4, reduction=4, num_classes=2),
        "SwinUNETR": lambda: nets.SwinUNETR(**two, feature_size=12, depths=(1, 1, 1, 1), num_heads=(1, 2, 2, 2), window_size=4),
        "UNet": lambda: nets.UNet(**two, **small),
        "UNet, batch": lambda: nets.UNet(**two, **small, num_res_units=1, norm="batch"),
        "UNet, group": lambda: nets.UNet(**two, **small, norm=("group", {"num_groups": 2})),
        "UNet, layer": lambda: nets.UNet(**two, **small, norm="localresponse"),
        "UNETR": lambda: nets.UNETR(**two, img_size=32, feature_size=4, hidden_size=16, mlp_dim=16, num_heads=2),
        "ViT": lambda: nets.ViT(in_channels=4, img_size=32, patch_size=4, hidden_size=16, mlp_dim=16, num_layers=2, num_heads=2, spatial_dims=2),
        "ViTAutoEnc": lambda: nets.ViTAutoEnc(in_channels=4, img_size=(32, 32), patch_size=4, out_channels=2, hidden_size=16, mlp_dim=16, num_layers=2, num_heads=2, spatial_dims=2),
        "VNet": lambda: nets.VNet(**two),
        "VQVAE": lambda: nets.VQVAE(**two, channels=(8, 8), num_res_layers=1, num_res_channels=(8, 8), downsample_parameters=((2, 4, 1, 1),) * 2, upsample_parameters=((2, 4, 1, 1, 0),) * 2, num_embeddings=8, embedding_dim=4),
    }  # fmt: skip
    planes = {"AHNet": 3}
    return {f"MONAI {name}": _plain(body, planes.get(name, LAGS)) for name, body in made.items()}


class _AtTime(nn.Module):
    """A diffusion network at one time."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        made = self.body(x, torch.full((len(x),), 10))
        return made if isinstance(made, Tensor) else made.sample


def _transformers() -> dict[str, Callable[[], Adapted]]:
    hub = importlib.import_module("transformers")
    vit = {
        "image_size": 32, "patch_size": 4, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32,
    }  # fmt: skip
    lively = {**vit, "initializer_range": 0.02}  # theirs is 1e-10, for weights that are loaded
    swin = {
        "image_size": 32,
        "patch_size": 2,
        "embed_dim": 8,
        "depths": [2, 1],
        "num_heads": [1, 2],
        "window_size": 4,
    }
    stages = {"hidden_sizes": [8, 16], "depths": [1, 1]}
    pyramid = {
        "num_encoder_blocks": 2, "depths": [1, 1], "sr_ratios": [2, 1], "hidden_sizes": [8, 16], "num_attention_heads": [1, 2],
        "patch_sizes": [3, 3], "strides": [2, 2], "mlp_ratios": [2, 2],
    }  # fmt: skip
    known: dict[str, dict[str, Any]] = {
        "ViT": vit, "DeiT": vit, "Beit": {**vit, "use_relative_position_bias": True}, "Data2VecVision": vit,
        "Dinov2": vit, "Dinov2WithRegisters": vit, "ViTMSN": vit, "Ijepa": vit, "VitDet": vit, "Yolos": vit,
        "Swin": swin, "Swinv2": swin, "Donut": swin, "DonutSwin": swin, "MaskFormerSwin": swin, "Swin2SR": {**swin, "patch_size": 1},
        "ConvNext": {"num_stages": 2, **stages}, "ConvNextV2": {"num_stages": 2, **stages},
        "ResNet": {"embedding_size": 8, **stages, "layer_type": "basic"}, "RegNet": {"embedding_size": 8, **stages, "groups_width": 4},
        "Bit": {"embedding_size": 8, **stages, "num_groups": 4}, "Segformer": pyramid, "GLPN": pyramid,
        "Pvt": {**pyramid, "image_size": 32, "patch_sizes": [2, 2], "sequence_reduction_ratios": [2, 1]},
        "PvtV2": {**pyramid, "num_encoder_blocks": 2}, "PoolFormer": {"num_encoder_blocks": 2, "depths": [1, 1], "hidden_sizes": [8, 16], "patch_sizes": [3, 3], "strides": [2, 2], "padding": [1, 1]},
        "Van": {"patch_sizes": [3, 3], "strides": [2, 2], "hidden_sizes": [8, 16], "depths": [1, 1], "mlp_ratios": [2, 2]},
        "FocalNet": {"image_size": 32, "patch_size": 2, "embed_dim": 8, "depths": [1, 1], "hidden_sizes": [8, 16], "focal_levels": [2, 2], "focal_windows": [3, 3]},
        "MobileNetV1": {"depth_multiplier": 0.25}, "MobileNetV2": {"depth_multiplier": 0.25},
        "MobileViT": {"image_size": 32, "hidden_sizes": [16, 16, 16], "neck_hidden_sizes": [8, 8, 8, 8, 8, 8, 16], "num_attention_heads": 2},
        "MobileViTV2": {"image_size": 32, "width_multiplier": 0.25}, "EfficientNet": {"width_coefficient": 0.25, "depth_coefficient": 0.3},
        "Levit": {"image_size": 32, "hidden_sizes": [16, 16, 16], "num_attention_heads": [1, 2, 2], "depths": [1, 1, 1], "key_dim": [8, 8, 8]},
        "Cvt": {"embed_dim": [8, 16, 16], "num_heads": [1, 1, 1], "depth": [1, 1, 1]},
        "Hiera": {"image_size": [32, 32], "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "patch_size": [3, 3], "patch_stride": [2, 2], "patch_padding": [1, 1], "num_query_pool": 1, "masked_unit_size": [4, 4]},
        "HGNetV2Backbone": {}, "TextNet": {}, "SuperPoint": {}, "TimmWrapper": {}, "Dinat": {}, "Nat": {},
        "LlamaVision": {}, "Siglip": {}, "SiglipVision": vit, "CLIPVision": vit, "ChineseCLIPVision": vit, "AltCLIPVision": vit,
        "Siglip2Vision": {}, "InternVLVision": {**vit, "image_size": [32, 32], "patch_size": [4, 4]}, "PixtralVision": {**vit, "head_dim": 8}, "Dinov3ViT": vit, "DINOv3ViT": vit,
        "DINOv3ConvNext": stages, "Aimv2Vision": vit, "BlipVision": lively, "Blip2Vision": lively, "GitVision": vit, "Kosmos2Vision": vit, "XCLIPVision": {}, "CLIPSegVision": vit, "OwlViTVision": vit, "Owlv2Vision": vit, "GroupViTVision": {},
        "PerceptionEncoder": {}, "IdeficsVision": {}, "Idefics2Vision": {}, "Ovis2Vision": {}, "MLCDVision": vit, "SamVision": {}, "EdgeTam": {}, "ViTMAE": {**vit, "mask_ratio": 0.0, "decoder_hidden_size": 16, "decoder_num_hidden_layers": 1, "decoder_num_attention_heads": 2},
    }  # fmt: skip
    made = {}
    for name, options in known.items():
        if not options:
            continue
        config, model = getattr(hub, f"{name}Config", None), getattr(hub, f"{name}Model", None)
        if config is None or model is None:
            continue

        def body(config: Any = config, model: Any = model, options: Any = options) -> nn.Module:
            settings = config(**options)
            settings.num_channels = settings.in_channels = settings.in_chans = 3
            network: nn.Module = model(settings)
            return network

        made[f"transformers {name}"] = _plain(body, 3)
    return made


def _diffusers() -> dict[str, Callable[[], Adapted]]:
    hub = importlib.import_module("diffusers")
    unet = {
        "sample_size": 32, "in_channels": 4, "out_channels": 2, "layers_per_block": 1, "block_out_channels": (8, 8), "norm_num_groups": 4,
        "attention_head_dim": 4,
    }  # fmt: skip
    vae = {
        "in_channels": 4,
        "out_channels": 2,
        "block_out_channels": (8, 8),
        "norm_num_groups": 4,
        "layers_per_block": 1,
    }
    made: dict[str, Callable[[], nn.Module]] = {
        "UNet2D": lambda: _AtTime(hub.UNet2DModel(**unet, down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"))),
        "UNet2D, plain": lambda: _AtTime(hub.UNet2DModel(**unet, down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2, add_attention=False)),
        "UNet2D, resnet": lambda: _AtTime(hub.UNet2DModel(**unet, down_block_types=("ResnetDownsampleBlock2D",) * 2, up_block_types=("ResnetUpsampleBlock2D",) * 2)),
        "UNet2D, skip": lambda: _AtTime(hub.UNet2DModel(**{**unet, "block_out_channels": (32, 32), "norm_num_groups": 8}, down_block_types=("SkipDownBlock2D", "AttnSkipDownBlock2D"), up_block_types=("AttnSkipUpBlock2D", "SkipUpBlock2D"))),
        "AutoencoderKL": lambda: hub.AutoencoderKL(**vae, down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2),
        "VQModel": lambda: hub.VQModel(**vae, down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, num_vq_embeddings=8),
        "AutoencoderTiny": lambda: hub.AutoencoderTiny(in_channels=4, out_channels=2, encoder_block_out_channels=(8, 8), decoder_block_out_channels=(8, 8), num_encoder_blocks=(1, 1), num_decoder_blocks=(1, 1)),
        "DiT": lambda: _Labelled(hub.DiTTransformer2DModel(sample_size=32, patch_size=4, num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=4, num_layers=1, norm_num_groups=4, num_embeds_ada_norm=10)),
    }  # fmt: skip
    return {f"diffusers {name}": _plain(body) for name, body in made.items()}


class _Labelled(_AtTime):
    def forward(self, x: Tensor) -> Tensor:
        n = len(x)
        made = self.body(
            x, timestep=torch.full((n,), 3), class_labels=torch.zeros(n, dtype=torch.long)
        )
        return made.sample


def _neuralop() -> dict[str, Callable[[], Adapted]]:
    hub = importlib.import_module("neuralop.models")
    two = {"in_channels": 4, "out_channels": 2, "hidden_channels": 8, "n_layers": 2}
    modes = {"n_modes": (6, 6), **two}
    made: dict[str, Callable[[], nn.Module]] = {
        "FNO": lambda: hub.FNO(**modes),
        "FNO, group norm": lambda: hub.FNO(**modes, norm="group_norm"),
        "FNO, instance norm": lambda: hub.FNO(**modes, norm="instance_norm"),
        "FNO, padded": lambda: hub.FNO(**modes, domain_padding=0.1),
        "FNO, separable": lambda: hub.FNO(**modes, separable=True),
        "FNO, no channel MLP": lambda: hub.FNO(**modes, use_channel_mlp=False),
        "TFNO": lambda: hub.TFNO(**modes, factorization="tucker", rank=0.5),
        "UNO": lambda: hub.UNO(in_channels=4, out_channels=2, hidden_channels=8, uno_out_channels=[8, 8, 8], uno_n_modes=[[4, 4]] * 3, uno_scalings=[[1, 1], [0.5, 0.5], [2, 2]], n_layers=3, lifting_channels=8, projection_channels=8),
        "LocalNO": lambda: hub.LocalNO(**modes, default_in_shape=(32, 32), disco_layers=False),
        "CODANO": lambda: hub.CODANO(n_layers=1, n_modes=[[4, 4]], hidden_variable_codimension=2, lifting_channels=4, output_variable_codimension=1, projection_channels=4, n_heads=[1], per_layer_scaling_factors=[[1, 1]], attention_scaling_factors=[1]),
    }  # fmt: skip
    return {f"neuraloperator {name}": _plain(body) for name, body in made.items()}


# The smallest of each family, those of up to some eight million weights.
TIMM = (
    "coat_tiny", "convit_tiny", "convnext_atto", "cpubone_nano", "crossvit_tiny_240", "cs3darknet_focus_s", "cspnext_tiny",
    "deit_tiny_patch16_224", "densenet121", "dla46_c", "edgenext_xx_small", "efficientformerv2_s0", "efficientvim_m1",
    "efficientvit_b0", "efficientvit_m0", "ese_vovnet19b_slim_dw", "eva02_tiny_patch14_224", "fasternet_t0", "fastvit_t8",
    "ghostnet_050", "hardcorenas_b", "hgnetv2_b0", "iformer_t", "inception_next_atto", "lcnetv2_small", "mambaout_femto",
    "maxvit_pico_rw_256", "mobilenetv3_small_050", "mobileone_s1", "mobilevit_xxs", "pit_ti_224", "pvt_v2_b0", "regnetx_002",
    "repghostnet_050", "repvit_m1", "rexnet_100", "shvit_s1", "starnet_s050", "swiftformer_xs", "test_vit_relpos", "tinynet_e",
    "vit_tiny_patch16_224", "xcit_nano_12_p8_224",
)  # fmt: skip


def _features(net: Any, x: Tensor) -> Any:
    return net.forward_features(x)


def _timm() -> dict[str, Callable[[], Adapted]]:
    hub = importlib.import_module("timm")

    def made(name: str) -> Adapted:
        for options in ({"img_size": SIDE, "patch_size": 4}, {"img_size": SIDE}, {}):
            try:
                body = hub.create_model(
                    name, pretrained=False, in_chans=LAGS, num_classes=8, **options
                )
                return Adapted(body, _features, LAGS)
            except Exception as error:  # not every family takes every option
                why = error
        raise why

    return {f"timm {name}": lambda name=name: made(name) for name in TIMM}  # type: ignore[misc]
